/**
 * @file The system calls that a box has: an allow-list, so that what a kernel learns to do later is refused until it is wanted. It replaces the daemon's own profile, which differs
 * from version to version, and permits what that one does not: switching off the randomisation of addresses, so that the same cell prints the same in every box.
 * The supervisor narrows it further for the code that it runs.
 */

const files = `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate futimesat
getcwd getdents getdents64 getxattr ioctl lchown lgetxattr link linkat listxattr llistxattr lseek lstat memfd_create mkdir mkdirat
newfstatat open openat openat2 pipe pipe2 poll ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2
rmdir select sendfile splice stat statfs statx symlink symlinkat sync sync_file_range tee truncate umask unlink unlinkat utime utimensat utimes write writev`;

const processes = `arch_prctl execve execveat exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage
getsid gettid getuid kill pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list get_robust_list set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority setregid
setresgid setresuid setreuid setrlimit setsid setuid sigaltstack signalfd signalfd4 tgkill times tkill vfork wait4 waitid capget capset`;

const memoryAndTime = `alarm brk clock_getres clock_gettime clock_nanosleep futex futex_waitv get_thread_area getcpu getitimer getrandom gettimeofday madvise membarrier mincore mlock mlock2
mlockall mmap mprotect mremap msync munlock munlockall munmap nanosleep pause set_thread_area setitimer sysinfo time timer_create timer_delete timer_getoverrun timer_gettime
timer_settime timerfd_create timerfd_gettime timerfd_settime uname`;

const sockets = `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair`;

/** Values of personality(2): Linux, without randomised addresses, asking for the value in force. */
const personalities = [0x0, 0x4_0000, 0xffff_ffff];

/** AF_UNIX, AF_INET, AF_INET6: the last two lead nowhere, but programs probe them. */
const socketFamilies = [1, 2, 10];

/** CLONE_NEW*: a namespace of one's own is the way to most errors of the kernel. */
const namespaceFlags = 0x7e02_0000;

const [permissionDenied, noSuchCall] = [1, 38];

interface Rule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo?: number; readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ' }[];
}

/** The profile as the daemon takes it: `seccomp=<this>`. */
export function seccompProfile(): string {
  const rules: Rule[] = [
    { names: [files, processes, memoryAndTime, sockets].flatMap((names) => names.split(/\s+/)), action: 'SCMP_ACT_ALLOW' },
    ...personalities.map((value) => allowedWith('personality', value)),
    ...socketFamilies.map((value) => allowedWith('socket', value)),
    { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
    // glibc falls back to clone when this does not exist, not when it is forbidden.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: noSuchCall },
  ];
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: permissionDenied,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls: rules,
  });
}

function allowedWith(name: string, value: number): Rule {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] };
}
