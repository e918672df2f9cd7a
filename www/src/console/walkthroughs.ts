// The classic anomalies as steps for the console. They hold statements only: what the sessions answer is up to the
// database.

export interface Step {
  /** From 0. */
  session: number;
  sql: string;
  /** What to look at, told before the step is run. */
  says: string;
}

export interface Walkthrough {
  id: string;
  title: string;
  /** Shown when the last step has run. */
  moral: string;
  setup: string;
  steps: Step[];
}

const ACCOUNTS = `CREATE TABLE accounts (
    id INT PRIMARY KEY,
    owner TEXT NOT NULL,
    balance INT NOT NULL CHECK (balance >= 0)
);
INSERT INTO accounts VALUES (1, 'Ada', 100), (2, 'Bo', 100);
`;

const ROTA = `CREATE TABLE rota (
    engineer TEXT PRIMARY KEY,
    on_call BOOLEAN NOT NULL
);
INSERT INTO rota VALUES ('Ada', true), ('Bo', true);
`;

const JOBS = `CREATE TABLE jobs (
    id INT PRIMARY KEY,
    state TEXT NOT NULL
);
INSERT INTO jobs VALUES (1, 'ready'), (2, 'ready'), (3, 'ready');
`;

const USERS = `CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    email TEXT UNIQUE NOT NULL
);
`;

export const WALKTHROUGHS: Walkthrough[] = [
  {
    id: 'lost-update',
    title: 'Lost update',
    setup: ACCOUNTS,
    moral: 'Thirty were withdrawn, and the balance is down by twenty. Let the database subtract, or lock the row when you read it.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'A takes 10 from Ada’s account, B takes 20. Both begin.' },
      { session: 1, sql: 'BEGIN;', says: 'READ COMMITTED is the default isolation level.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'A reads the balance.' },
      { session: 1, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'B reads the same one.' },
      { session: 0, sql: 'UPDATE accounts SET balance = 90 WHERE id = 1;', says: 'A writes what it computed: 100 − 10.' },
      { session: 1, sql: 'UPDATE accounts SET balance = 80 WHERE id = 1;', says: 'B writes 100 − 20, and has to wait for the row.' },
      { session: 0, sql: 'COMMIT;', says: 'A commits. B gets the row and overwrites it.' },
      { session: 1, sql: 'COMMIT;', says: 'B commits too. Nobody saw an error.' },
      { session: 0, sql: 'SELECT * FROM accounts;', says: 'Look at the balance.' },
    ],
  },
  {
    id: 'for-update',
    title: 'The same with FOR UPDATE',
    setup: ACCOUNTS,
    moral: 'B waited before it read, so it read what A had left. The price is the wait.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'The same two withdrawals.' },
      { session: 1, sql: 'BEGIN;', says: 'Both begin.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1 FOR UPDATE;', says: 'A reads and keeps the row.' },
      { session: 1, sql: 'SELECT balance FROM accounts WHERE id = 1 FOR UPDATE;', says: 'B has to wait for the lock before it can read.' },
      { session: 0, sql: 'UPDATE accounts SET balance = 90 WHERE id = 1;', says: 'A writes 100 − 10.' },
      { session: 0, sql: 'COMMIT;', says: 'A commits, and B is shown the balance as it is now.' },
      { session: 1, sql: 'UPDATE accounts SET balance = 70 WHERE id = 1;', says: 'B computes from 90.' },
      { session: 1, sql: 'COMMIT;', says: 'B commits.' },
      { session: 0, sql: 'SELECT * FROM accounts;', says: 'Thirty were withdrawn, and the balance is down by thirty.' },
    ],
  },
  {
    id: 'non-repeatable-read',
    title: 'Non-repeatable read',
    setup: ACCOUNTS,
    moral: 'At READ COMMITTED each statement sees what is committed when it starts. REPEATABLE READ keeps one snapshot for the whole transaction.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'A makes a report.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'It reads a balance.' },
      { session: 1, sql: 'UPDATE accounts SET balance = 50 WHERE id = 1;', says: 'B changes it, and commits at once.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'A asks again, in the same transaction.' },
      { session: 0, sql: 'COMMIT;', says: 'The report contains two answers to one question.' },
    ],
  },
  {
    id: 'serialization-failure',
    title: 'REPEATABLE READ refuses the write',
    setup: ACCOUNTS,
    moral: 'SQLSTATE 40001 means: run the whole transaction again. Code that uses this level has to do that.',
    steps: [
      { session: 0, sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ;', says: 'A asks for one snapshot of the data.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'The snapshot is taken by the first statement.' },
      { session: 1, sql: 'UPDATE accounts SET balance = balance - 20 WHERE id = 1;', says: 'B withdraws 20 in between.' },
      { session: 0, sql: 'SELECT balance FROM accounts WHERE id = 1;', says: 'A still sees what it saw.' },
      { session: 0, sql: 'UPDATE accounts SET balance = balance - 10 WHERE id = 1;', says: 'But it may not overwrite a version it cannot see.' },
      { session: 0, sql: 'ROLLBACK;', says: 'All it can do is roll back and try again.' },
    ],
  },
  {
    id: 'write-skew',
    title: 'Write skew',
    setup: ROTA,
    moral: 'Each changed a different row, so neither blocked the other, and nobody is on call. Only SERIALIZABLE detects this.',
    steps: [
      { session: 0, sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ;', says: 'Ada wants to go off call if somebody else stays.' },
      { session: 1, sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ;', says: 'So does Bo.' },
      { session: 0, sql: 'SELECT count(*) FROM rota WHERE on_call;', says: 'Ada sees two on call. She may go.' },
      { session: 1, sql: 'SELECT count(*) FROM rota WHERE on_call;', says: 'Bo sees two as well.' },
      { session: 0, sql: "UPDATE rota SET on_call = false WHERE engineer = 'Ada';", says: 'Ada leaves.' },
      { session: 1, sql: "UPDATE rota SET on_call = false WHERE engineer = 'Bo';", says: 'Bo goes off call. It is a different row, so there is no wait.' },
      { session: 0, sql: 'COMMIT;', says: 'Both commit.' },
      { session: 1, sql: 'COMMIT;', says: 'Without a complaint.' },
      { session: 0, sql: 'SELECT * FROM rota;', says: 'Who answers at 2 AM?' },
    ],
  },
  {
    id: 'serializable',
    title: 'The same at SERIALIZABLE',
    setup: ROTA,
    moral: 'One of the two has to run again, and then sees that nobody else is on call.',
    steps: [
      { session: 0, sql: 'BEGIN ISOLATION LEVEL SERIALIZABLE;', says: 'The same two requests.' },
      { session: 1, sql: 'BEGIN ISOLATION LEVEL SERIALIZABLE;', says: 'At the strictest isolation level.' },
      { session: 0, sql: 'SELECT count(*) FROM rota WHERE on_call;', says: 'Ada reads.' },
      { session: 1, sql: 'SELECT count(*) FROM rota WHERE on_call;', says: 'Bo reads.' },
      { session: 0, sql: "UPDATE rota SET on_call = false WHERE engineer = 'Ada';", says: 'Ada changes what Bo has read.' },
      { session: 1, sql: "UPDATE rota SET on_call = false WHERE engineer = 'Bo';", says: 'Bo changes what Ada has read.' },
      { session: 0, sql: 'COMMIT;', says: 'The first to commit succeeds.' },
      { session: 1, sql: 'COMMIT;', says: 'The second is refused.' },
      { session: 0, sql: 'SELECT * FROM rota;', says: 'Somebody is on call.' },
    ],
  },
  {
    id: 'deadlock',
    title: 'Deadlock',
    setup: ACCOUNTS,
    moral: 'Each held the lock the other needed. Take locks in one order, and be ready to run the transaction again.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'A moves money from Ada to Bo.' },
      { session: 1, sql: 'BEGIN;', says: 'B moves money from Bo to Ada.' },
      { session: 0, sql: 'UPDATE accounts SET balance = balance - 10 WHERE id = 1;', says: 'A holds row 1.' },
      { session: 1, sql: 'UPDATE accounts SET balance = balance - 10 WHERE id = 2;', says: 'B holds row 2.' },
      { session: 0, sql: 'UPDATE accounts SET balance = balance + 10 WHERE id = 2;', says: 'A wants row 2, and waits for B.' },
      { session: 1, sql: 'UPDATE accounts SET balance = balance + 10 WHERE id = 1;', says: 'B wants row 1. After a second the deadlock detector runs and aborts one of them.' },
    ],
  },
  {
    id: 'unique',
    title: 'Two sign-ups, one address',
    setup: USERS,
    moral: 'Checking first proves nothing: the answer can be out of date before you use it. The constraint decides.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'Two requests sign up the same address.' },
      { session: 1, sql: 'BEGIN;', says: 'A double click is enough.' },
      { session: 0, sql: "SELECT id FROM users WHERE email = 'ada@example.org';", says: 'A checks: the address is free.' },
      { session: 1, sql: "SELECT id FROM users WHERE email = 'ada@example.org';", says: 'B checks: the address is free.' },
      { session: 0, sql: "INSERT INTO users (email) VALUES ('ada@example.org');", says: 'A takes it.' },
      { session: 1, sql: "INSERT INTO users (email) VALUES ('ada@example.org');", says: 'B has to wait: the database cannot know yet whether A will commit.' },
      { session: 0, sql: 'COMMIT;', says: 'A commits.' },
    ],
  },
  {
    id: 'skip-locked',
    title: 'A queue in a table',
    setup: JOBS,
    moral: 'SKIP LOCKED skips rows that others have locked, so workers do not wait for each other.',
    steps: [
      { session: 0, sql: 'BEGIN;', says: 'Two workers take jobs from a table.' },
      { session: 1, sql: 'BEGIN;', says: 'They must not take the same job.' },
      { session: 0, sql: "SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;", says: 'A takes the first.' },
      { session: 1, sql: "SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;", says: 'B steps over it and takes the next.' },
      { session: 0, sql: "UPDATE jobs SET state = 'done' WHERE id = 1;", says: 'A finishes.' },
      { session: 0, sql: 'COMMIT;', says: 'And commits.' },
      { session: 1, sql: 'ROLLBACK;', says: 'B fails. Its lock is gone, so the job can be taken again.' },
      { session: 0, sql: 'SELECT * FROM jobs;', says: 'Nothing lost, nothing done twice.' },
    ],
  },
];
