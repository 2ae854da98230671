module turnwise.local/tools/temporal

go 1.26.4

require github.com/temporalio/cli v1.9.1

replace github.com/temporalio/cli/cliext => github.com/temporalio/cli/cliext v0.0.0-20260822170343-f4895a443914
