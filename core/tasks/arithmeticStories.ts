/** @file The word problems of family `arithmetic`: their text, how they are computed line by line, and how a careless reader gets them wrong. */
import type { Random } from '../random.ts';

/** `name = code`, one a turn. Later lines use the names of earlier ones. */
export interface Line {
  readonly name: string;
  readonly code: string;
  readonly value: number;
  /** Python shows it as a float. */
  readonly isFloat: boolean;
}

export type Reading = 'right' | 'misread';

export interface Story {
  readonly text: string;
  readonly lines: (reading: Reading) => readonly Line[];
}

export const stories: readonly ((random: Random) => Story)[] = [shopping, production, tank, journey, savings, ages];

const people = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gia', 'Hugo', 'Iris', 'Jon'] as const;

function line(name: string, code: string, value: number): Line {
  return { name, code, value, isFloat: false };
}

/** Misread: the second price is taken for all of the second lot. */
function shopping(random: Random): Story {
  const [count, price] = [random.integer(2, 19), random.integer(3, 45)];
  const [otherCount, otherPrice] = [random.integer(2, 19), random.integer(3, 45)];
  const total = count * price + otherCount * otherPrice;
  const note = total + random.integer(1, 200);
  const [first, second] = random.sample(['pens', 'books', 'lamps', 'cups', 'bags', 'maps'], 2);
  return {
    text: `${random.pick(people)} buys ${count} ${first} at ${price} coins each and ${otherCount} ${second} at ${otherPrice} coins each, and pays with ${note} coins. How many coins come back?`,
    lines: (reading) => {
      const code = reading === 'right' ? `${count} * ${price} + ${otherCount} * ${otherPrice}` : `${count} * ${price} + ${otherPrice}`;
      const cost = reading === 'right' ? total : count * price + otherPrice;
      return [line('cost', code, cost), line('change', `${note} - cost`, note - cost)];
    },
  };
}

/** Misread: the faulty parts are counted instead of the good ones. */
function production(random: Random): Story {
  const [rate, hours, days] = [20 * random.integer(1, 15), random.integer(2, 12), random.integer(2, 20)];
  const percent = 5 * random.integer(1, 8);
  const made = rate * hours * days;
  return {
    text: `A machine makes ${rate} parts an hour and runs ${hours} hours a day. In ${days} days, ${percent} percent of its parts are faulty. How many parts are good?`,
    lines: (reading) => {
      const share = reading === 'right' ? 100 - percent : percent;
      const shareCode = reading === 'right' ? `100 - ${percent}` : String(percent);
      return [line('made', `${rate} * ${hours} * ${days}`, made), line('share', shareCode, share), line('good', 'made * share // 100', (made * share) / 100)];
    },
  };
}

/** Misread: what is used is taken for what is left. */
function tank(random: Random): Story {
  const parts = random.integer(3, 9);
  const used = random.integer(1, parts - 1);
  const litres = parts * random.integer(11, 120);
  const added = random.integer(5, 90);
  return {
    text: `A full tank holds ${litres} litres. ${used}/${parts} of it is used and then ${added} litres are added. How many litres are in it?`,
    lines: (reading) => {
      const taken = (litres / parts) * used;
      const left = reading === 'right' ? litres - taken : taken;
      return [
        line('used', `${litres} // ${parts} * ${used}`, taken),
        line('left', reading === 'right' ? `${litres} - used` : 'used', left),
        line('now', `left + ${added}`, left + added),
      ];
    },
  };
}

/** Misread: the mean of the speeds is taken for the speed over the whole way. */
function journey(random: Random): Story {
  const [speed, hours] = [random.integer(20, 120), random.integer(1, 9)];
  const [otherSpeed, otherHours] = [random.integer(20, 120), random.integer(1, 9)];
  const way = speed * hours + otherSpeed * otherHours;
  return {
    text: `${random.pick(people)} drives ${hours} hours at ${speed} km/h and then ${otherHours} hours at ${otherSpeed} km/h. What is the mean speed over the whole way in km/h?`,
    lines: (reading) => {
      if (reading === 'misread') return [{ ...line('mean', `(${speed} + ${otherSpeed}) / 2`, (speed + otherSpeed) / 2), isFloat: true }];
      const mean = { ...line('mean', 'way / time', way / (hours + otherHours)), isFloat: true };
      return [line('way', `${speed} * ${hours} + ${otherSpeed} * ${otherHours}`, way), line('time', `${hours} + ${otherHours}`, hours + otherHours), mean];
    },
  };
}

/** Misread: the gift is forgotten. */
function savings(random: Random): Story {
  const [weekly, weeks, gift] = [random.integer(3, 60), random.integer(4, 52), random.integer(5, 150)];
  const price = weekly * weeks + gift + random.integer(10, 900);
  const person = random.pick(people);
  return {
    text: `${person} saves ${weekly} coins a week for ${weeks} weeks and gets ${gift} coins as a gift. A bicycle costs ${price} coins. How many coins are missing?`,
    lines: (reading) => {
      const saved = weekly * weeks + (reading === 'right' ? gift : 0);
      return [line('saved', `${weekly} * ${weeks}${reading === 'right' ? ` + ${gift}` : ''}`, saved), line('missing', `${price} - saved`, price - saved)];
    },
  };
}

/** Misread: the years are added once instead of once a person. */
function ages(random: Random): Story {
  const [younger, times, years] = [random.integer(3, 30), random.integer(2, 4), random.integer(2, 25)];
  const sum = younger * (times + 1) + 2 * years;
  const [elder, child] = random.sample(people, 2);
  return {
    text: `${elder} is ${times} times as old as ${child}. In ${years} years their ages will add up to ${sum}. How old is ${elder} now?`,
    lines: (reading) => {
      const factor = reading === 'right' ? 2 : 1;
      const today = sum - factor * years;
      const childAge = Math.floor(today / (times + 1));
      return [
        line('today', `${sum} - ${factor} * ${years}`, today),
        line('child', `today // (${times} + 1)`, childAge),
        line('elder', `child * ${times}`, childAge * times),
      ];
    },
  };
}
