//! Schedules of several sessions over a small fixed schema, drawn so that they meet each other's rows.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use twoam::isolation::{self, Ending, Permutation, PermutationStep, Spec, SpecSession, SpecStep};

/// Which isolation levels the sessions of a schedule use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// Each session READ COMMITTED or REPEATABLE READ, or without a transaction block.
    Mixed,
    /// Every transaction SERIALIZABLE, and no statement whose answer is not a matter of data: a serial order explains it.
    Serializable,
}

const SETUP: &str = "CREATE TABLE accounts (id int PRIMARY KEY, owner text UNIQUE, balance int NOT NULL CHECK (balance > -500));\n\
    CREATE TABLE orders (id int PRIMARY KEY, account int REFERENCES accounts (id)DELETION, qty int NOT NULL);\n\
    INSERT INTO accounts VALUES (1, 'ann', 100), (2, 'bob', 200), (3, 'cid', 300), (4, 'dan', 400);\n\
    INSERT INTO orders VALUES (10, 1, 1), (20, 2, 2), (30, NULL, 3);";

pub struct ScheduleGrammar<'a> {
    rng: &'a mut ChaCha8Rng,
    levels: Levels,
}

/// The session whose steps show the tables at the end.
pub const FIN: &str = "fin";

impl<'a> ScheduleGrammar<'a> {
    pub fn new(rng: &'a mut ChaCha8Rng, levels: Levels) -> ScheduleGrammar<'a> {
        ScheduleGrammar { rng, levels }
    }

    pub fn schedule(&mut self) -> Spec {
        let deletion = self.pick(&["", "", " ON DELETE CASCADE", " ON DELETE SET NULL"]);
        let mut spec = Spec { setups: vec![SETUP.replace("DELETION", deletion)], ..Spec::default() };
        for session in 0..self.rng.random_range(2..=4) {
            let name = format!("s{}", session + 1);
            for (number, sql) in self.session().into_iter().enumerate() {
                spec.steps.push(SpecStep { name: format!("{name}_{}", number + 1), session, sql });
            }
            spec.sessions.push(SpecSession { name, setup: None, teardown: None });
        }
        let mut order = self.interleave(&spec);
        let session = spec.sessions.len();
        spec.sessions.push(SpecSession { name: FIN.to_owned(), setup: None, teardown: None });
        for table in ["accounts", "orders"] {
            order.push(spec.steps.len());
            let sql = format!("SELECT * FROM {table} ORDER BY id;");
            spec.steps.push(SpecStep { name: format!("{FIN}_{table}"), session, sql });
        }
        spec.permutations = vec![permutation(&order)];
        spec
    }

    /// Draws who goes next among the sessions that do not wait, so that few schedules end stuck.
    fn interleave(&mut self, spec: &Spec) -> Vec<usize> {
        let mut left: Vec<Vec<usize>> = (0..spec.sessions.len())
            .map(|session| (0..spec.steps.len()).rev().filter(|it| spec.steps[*it].session == session).collect())
            .collect();
        let mut order = Vec::new();
        loop {
            let waiting = waiting_after(spec, &order);
            let ready: Vec<usize> =
                (0..left.len()).filter(|session| !left[*session].is_empty() && !waiting.contains(session)).collect();
            let any: Vec<usize> = (0..left.len()).filter(|session| !left[*session].is_empty()).collect();
            let Some(&session) = ready.choose(self.rng).or_else(|| any.choose(self.rng)) else { return order };
            order.extend(left[session].pop());
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of.choose(self.rng).expect("never empty")
    }

    fn session(&mut self) -> Vec<String> {
        let level = match self.levels {
            Levels::Serializable => "SERIALIZABLE",
            Levels::Mixed => self.pick(&["READ COMMITTED", "READ COMMITTED", "REPEATABLE READ"]),
        };
        let count = self.below(4) + 1;
        if self.levels == Levels::Mixed && self.chance(20) {
            return (0..count).map(|_| self.statement() + ";").collect();
        }
        let mut steps = vec![format!("BEGIN ISOLATION LEVEL {level};")];
        let mut savepoint = false;
        for _ in 0..count {
            if self.chance(8) {
                steps.push("SAVEPOINT a;".to_owned());
                savepoint = true;
                if self.chance(30) {
                    steps.push("SET LOCAL work_mem = '8MB';".to_owned());
                }
            }
            let mut text = self.statement() + ";";
            if self.chance(6) {
                text = format!("{text} {};", self.statement());
            }
            steps.push(text);
            if savepoint && self.chance(35) {
                steps.push(self.pick(&["ROLLBACK TO a;", "ROLLBACK TO a;", "RELEASE a;"]).to_owned());
                savepoint = !steps.last().is_some_and(|it| it.starts_with("RELEASE"));
                if self.chance(30) {
                    steps.push("SHOW work_mem;".to_owned());
                }
            }
        }
        steps.push(if self.chance(82) { "COMMIT;" } else { "ROLLBACK;" }.to_owned());
        steps
    }

    fn id(&mut self) -> usize {
        self.below(5) + 1
    }

    /// Few rows are hot, so that sessions meet.
    fn hot(&mut self) -> usize {
        if self.chance(60) { 1 } else { self.below(3) + 1 }
    }

    fn statement(&mut self) -> String {
        let by_data_only = self.levels == Levels::Serializable;
        if by_data_only && self.chance(45) {
            return self.read_here_write_there();
        }
        match self.below(100) {
            0..=11 => return self.recheck_with_subquery(),
            12..=16 => return self.temporary(),
            17..=20 if by_data_only => return self.look_and_insert(),
            _ => {}
        }
        match self.below(if by_data_only { 76 } else { 100 }) {
            0..=17 => self.update(),
            18..=27 => self.read(),
            28..=37 => self.lock_rows(!by_data_only),
            38..=47 => self.insert_account(),
            48..=53 => self.delete(),
            54..=58 => self.change_key(),
            59..=70 => self.order(),
            71..=75 => self.read_and_write(),
            76..=87 => self.lock_rows(true),
            88..=93 => self.advisory(),
            94..=95 => self.lock_table(),
            96..=97 => self.pick(&["SELECT 1 / 0", "SELECT * FROM nowhere"]).to_owned(),
            _ => "SET LOCAL lock_timeout = '300ms'".to_owned(),
        }
    }

    fn returning(&mut self) -> &'static str {
        self.pick(&["", "", " RETURNING *", " RETURNING id"])
    }

    fn update(&mut self) -> String {
        let (id, amount) = (self.hot(), self.rng.random_range(-90..90));
        let returning = self.returning();
        match self.below(7) {
            0..=2 => format!("UPDATE accounts SET balance = balance + {amount} WHERE id = {id}{returning}"),
            3 => format!("UPDATE accounts SET balance = {amount} WHERE id = {id}{returning}"),
            4 => {
                let least = self.rng.random_range(50..250);
                format!(
                    "UPDATE accounts SET balance = balance - {least} WHERE id = {id} AND balance >= {least}{returning}"
                )
            }
            5 => {
                let from = self.below(3);
                format!(
                    "UPDATE accounts SET balance = balance + {amount} WHERE id > {from} AND balance > 150{returning}"
                )
            }
            _ => format!("UPDATE accounts SET balance = balance * 2 WHERE id IN (1, {})", self.below(3) + 2),
        }
    }

    fn read(&mut self) -> String {
        let id = self.hot();
        match self.below(5) {
            0 => "SELECT id, balance FROM accounts ORDER BY id".to_owned(),
            1 => format!("SELECT balance FROM accounts WHERE id = {id}"),
            2 => "SELECT count(*), sum(balance) FROM accounts WHERE balance > 150".to_owned(),
            3 => format!("SELECT id FROM orders WHERE account = {id} ORDER BY id"),
            _ => "SELECT a.id, o.qty FROM accounts a JOIN orders o ON o.account = a.id ORDER BY a.id, o.id".to_owned(),
        }
    }

    fn strength(&mut self) -> &'static str {
        self.pick(&["FOR UPDATE", "FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"])
    }

    fn lock_rows(&mut self, may_skip: bool) -> String {
        let strength = self.strength();
        let policy = if may_skip { self.pick(&["", "", " NOWAIT", " SKIP LOCKED"]) } else { "" };
        let id = self.hot();
        match self.below(6) {
            0..=2 => format!("SELECT id, balance FROM accounts WHERE id = {id} {strength}{policy}"),
            3 => format!(
                "SELECT id, balance FROM accounts WHERE id > 0 ORDER BY id LIMIT {} {strength}{policy}",
                self.below(3) + 1
            ),
            4 => format!("SELECT id FROM accounts WHERE id > 1 AND balance > 100 ORDER BY id {strength}{policy}"),
            _ => format!(
                "SELECT a.id, o.id FROM accounts a JOIN orders o ON o.account = a.id WHERE a.id = {id} ORDER BY o.id {strength} OF {}{policy}",
                self.pick(&["a", "o"])
            ),
        }
    }

    fn insert_account(&mut self) -> String {
        let id = self.below(4) + 4;
        let owner = self.pick(&["'eve'", "'fay'", "'ann'", "'gus'", "NULL"]);
        let conflict = self.pick(&[
            "",
            "",
            "",
            " ON CONFLICT DO NOTHING",
            " ON CONFLICT (id) DO NOTHING",
            " ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance",
            " ON CONFLICT (owner) DO UPDATE SET balance = excluded.balance WHERE accounts.balance < 350",
        ]);
        let returning = self.returning();
        format!("INSERT INTO accounts VALUES ({id}, {owner}, {}){conflict}{returning}", self.below(500))
    }

    fn delete(&mut self) -> String {
        let returning = self.returning();
        match self.below(4) {
            0 => format!("DELETE FROM orders WHERE id = {}{returning}", (self.below(3) + 1) * 10),
            1 => format!("DELETE FROM accounts WHERE id > {} AND balance < 250{returning}", self.below(3)),
            _ => format!("DELETE FROM accounts WHERE id = {}{returning}", self.id()),
        }
    }

    fn change_key(&mut self) -> String {
        match self.below(3) {
            0 => format!("UPDATE accounts SET id = {} WHERE id = {}", self.below(4) + 4, self.id()),
            1 => format!(
                "UPDATE accounts SET owner = {} WHERE id = {}",
                self.pick(&["'eve'", "'fay'", "'ann'"]),
                self.id()
            ),
            _ => format!(
                "UPDATE accounts SET owner = owner || '+' WHERE owner = {}",
                self.pick(&["'ann'", "'bob'", "'eve'"])
            ),
        }
    }

    fn order(&mut self) -> String {
        let returning = self.returning();
        let (order, account) = ((self.below(6) + 1) * 10, self.id());
        match self.below(5) {
            0 | 1 => format!("INSERT INTO orders VALUES ({order}, {account}, 1){returning}"),
            2 => format!(
                "INSERT INTO orders VALUES ({order}, {account}, 1) ON CONFLICT (id) DO UPDATE SET qty = orders.qty + 1{returning}"
            ),
            3 => format!("UPDATE orders SET account = {account} WHERE id = {order}{returning}"),
            _ => format!("UPDATE orders SET qty = qty + 1 WHERE id = {order}{returning}"),
        }
    }

    fn read_and_write(&mut self) -> String {
        let id = self.hot();
        match self.below(3) {
            0 => {
                format!("UPDATE accounts SET balance = (SELECT sum(qty) FROM orders) WHERE id = {id} RETURNING balance")
            }
            1 => {
                format!("INSERT INTO orders SELECT {}, id, balance FROM accounts WHERE id = {id}", self.below(20) + 60)
            }
            _ => format!(
                "UPDATE accounts SET balance = balance + o.qty FROM orders o WHERE o.account = accounts.id AND accounts.id = {id} AND o.id < 15"
            ),
        }
    }

    /// A condition over other rows, to be tested once more after a wait.
    fn recheck_with_subquery(&mut self) -> String {
        let (id, least) = (self.hot(), self.below(4) * 100);
        let condition = match self.below(10) {
            0 => format!("balance IN (SELECT qty * 100 FROM orders WHERE id > {})", self.below(3) * 10),
            1 => "id IN (SELECT account FROM orders WHERE qty < 3)".to_owned(),
            2 => format!("id IN (SELECT id FROM accounts a WHERE a.balance > {least} ORDER BY id LIMIT 2)"),
            3 => "EXISTS (SELECT 1 FROM orders o WHERE o.account = accounts.id AND o.qty * 100 <= accounts.balance)"
                .to_owned(),
            4 => format!("EXISTS (SELECT 1 FROM accounts a WHERE a.balance > accounts.balance AND a.id > {id})"),
            5 => "NOT EXISTS (SELECT 1 FROM orders o WHERE o.account = accounts.id AND o.qty * 100 = accounts.balance)"
                .to_owned(),
            6 => "balance NOT IN (SELECT qty * 100 FROM orders)".to_owned(),
            7 => "balance > (SELECT min(balance) FROM accounts a WHERE a.id <> accounts.id)".to_owned(),
            8 => format!("(EXISTS (SELECT 1 FROM orders o WHERE o.qty * 100 = accounts.balance) OR balance < {least})"),
            _ => format!("balance > ANY (SELECT balance FROM accounts a WHERE a.id = {id})"),
        };
        let narrow = if self.chance(50) { format!(" AND accounts.id = {id}") } else { String::new() };
        let returning = self.returning();
        match self.below(5) {
            0 | 1 => format!("UPDATE accounts SET balance = balance + 100 WHERE {condition}{narrow}{returning}"),
            2 => format!("DELETE FROM accounts WHERE {condition} AND accounts.id = {id}{returning}"),
            3 => format!("SELECT id, balance FROM accounts WHERE {condition}{narrow} ORDER BY id {}", self.strength()),
            _ => format!(
                "SELECT accounts.id, balance, o.qty FROM accounts LEFT JOIN orders o ON o.account = accounts.id AND o.qty * 100 <= balance WHERE accounts.id = {id} ORDER BY o.id {} OF accounts",
                self.strength()
            ),
        }
    }

    /// One session's own tables, one of them named like a table of all.
    fn temporary(&mut self) -> String {
        let name = self.pick(&["mine", "mine", "orders"]);
        match self.below(5) {
            0 | 1 => {
                let end = self.pick(&["", "", " ON COMMIT DROP", " ON COMMIT DELETE ROWS"]);
                format!("CREATE TEMP TABLE {name} (id int PRIMARY KEY, account int, qty int){end}")
            }
            2 => format!("INSERT INTO mine VALUES ({}, 1, 1) RETURNING id", self.below(3)),
            3 => "SELECT * FROM mine ORDER BY id".to_owned(),
            _ => "DROP TABLE IF EXISTS mine".to_owned(),
        }
    }

    /// A key that was seen free is taken meanwhile.
    fn look_and_insert(&mut self) -> String {
        let key = self.below(2) + 70;
        match self.below(4) {
            0 => format!("SELECT * FROM orders WHERE id = {key}"),
            1 => format!("SELECT max(id) FROM orders WHERE id <= {key}"),
            2 => format!(
                "INSERT INTO orders SELECT {key}, 1, 1 WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = {key})"
            ),
            _ => format!("INSERT INTO orders VALUES ({key}, 1, 1)"),
        }
    }

    /// What makes cycles of reads and writes without any two writers of one row.
    fn read_here_write_there(&mut self) -> String {
        let (id, other) = (self.below(4) + 1, self.below(4) + 1);
        match self.below(7) {
            0 => "SELECT count(*), sum(balance) FROM accounts".to_owned(),
            1 => format!("SELECT id, balance FROM accounts WHERE id = {id}"),
            2 => format!("SELECT count(*) FROM orders WHERE account = {id}"),
            3 => format!("UPDATE accounts SET balance = balance + 10 WHERE id = {id}"),
            4 => format!("INSERT INTO orders VALUES ({}, {id}, {other})", self.below(40) + 40),
            5 => format!(
                "UPDATE accounts SET balance = (SELECT sum(balance) FROM accounts WHERE id <> {id}) WHERE id = {id}"
            ),
            _ => format!("SELECT id FROM accounts WHERE balance > {} ORDER BY id", self.below(4) * 100),
        }
    }

    fn advisory(&mut self) -> String {
        let key = self.below(2) + 7;
        let function = self.pick(&[
            "pg_advisory_xact_lock",
            "pg_advisory_xact_lock",
            "pg_try_advisory_xact_lock",
            "pg_advisory_lock",
            "pg_advisory_unlock",
            "pg_try_advisory_lock",
            "pg_advisory_xact_lock_shared",
        ]);
        format!("SELECT {function}({key})")
    }

    fn lock_table(&mut self) -> String {
        let mode = self.pick(&[
            "SHARE",
            "ROW EXCLUSIVE",
            "EXCLUSIVE",
            "ACCESS EXCLUSIVE",
            "SHARE ROW EXCLUSIVE",
            "ACCESS SHARE",
        ]);
        let nowait = self.pick(&["", "", " NOWAIT"]);
        format!("LOCK TABLE accounts IN {mode} MODE{nowait}")
    }
}

pub fn permutation(order: &[usize]) -> Permutation {
    Permutation { steps: order.iter().map(|step| PermutationStep { step: *step, markers: Vec::new() }).collect() }
}

/// Sessions that wait when these steps have been launched, by our engine: a wrong guess costs a stuck schedule, no more.
fn waiting_after(spec: &Spec, order: &[usize]) -> Vec<usize> {
    let mut spec = spec.clone();
    spec.permutations = vec![permutation(order)];
    let report = isolation::run(&spec);
    match &report.permutations[0].ending {
        Ending::Stuck { waiting } => {
            spec.steps.iter().filter(|step| waiting.contains(&step.name)).map(|step| step.session).collect()
        }
        _ => Vec::new(),
    }
}
