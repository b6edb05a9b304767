//! The code of the guide page on queries.

mod tasks {
    // [tasks]
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Status {
        Open,
        Waiting,
        Done,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks", index(status, urgency))]
    pub struct Task {
        pub id: Id<Task>,
        pub title: String,
        pub status: Status,
        #[evolve(default)]
        pub urgency: u8,
        #[index]
        pub due: Option<String>,
        #[evolve(default)]
        pub tags: Vec<String>,
    }

    #[derive(Store)]
    #[store(name = "todo")]
    pub struct Todo {
        pub tasks: Table<Task>,
    }
    // [end]

    fn task(title: &str, status: Status, urgency: u8, due: Option<&str>) -> Task {
        let due = due.map(str::to_owned);
        Task { id: Id::new(), title: title.into(), status, urgency, due, tags: vec!["home".into()] }
    }

    #[test]
    fn conditions() -> heirloom::Result<()> {
        let app = Todo::in_memory()?;
        app.tasks.insert_many([
            task("sow", Status::Open, 3, Some("2026-03-01")),
            task("water", Status::Open, 9, None),
            task("rest", Status::Done, 9, None),
        ])?;
        // [select]
        let dues = app.tasks.filter(Task::DUE.is_some()).select((Task::TITLE, Task::DUE));
        assert_eq!(dues.all()?, [("sow".to_owned(), Some("2026-03-01".to_owned()))]);

        let statuses = app.tasks.query().select(Task::STATUS).distinct();
        assert_eq!(statuses.all()?, [Status::Open, Status::Done]);
        // [end]
        // [conditions]
        let next = app
            .tasks
            .filter(Task::STATUS.eq(Status::Open) & !Task::TITLE.starts_with("un"))
            .order_by(Task::URGENCY.desc())
            .limit(20);
        let rows: Vec<Task> = next.all()?;
        assert_eq!(rows[0].title, "water");
        assert_eq!(next.count()?, 2);

        for task in next.iter()? {
            println!("{}", task?.title); // each is read when it is asked for
        }
        assert!(app.tasks.filter(Task::TAGS.contains("garden")).first()?.is_none());
        app.tasks.filter(Task::STATUS.eq(Status::Done)).remove_all()?;
        app.tasks
            .filter(Task::DUE.lt("2026-04-01") & Task::DUE.is_some())
            .update_all(|task| task.urgency += 1)?;
        // [end]
        Ok(())
    }
}

mod pages {
    use super::tasks::{Status, Task, Todo};
    use heirloom::Id;

    #[test]
    fn pages() -> heirloom::Result<()> {
        let app = Todo::in_memory()?;
        for (day, title) in [(1, "sow"), (2, "dig"), (3, "water"), (4, "rest")] {
            let (title, due) = (title.to_owned(), Some(format!("2026-03-0{day}")));
            let (status, tags) = (Status::Open, Vec::new());
            app.tasks.insert(&Task { id: Id::new(), title, status, urgency: 1, due, tags })?;
        }
        // [collation]
        use heirloom::query::Collation;

        let german = Collation::new("de")?;
        let in_german = app.tasks.order_by((Task::TITLE.asc_in(&german), Task::DUE.asc()));
        // [end]
        assert_eq!(in_german.count()?, app.tasks.len()?);
        // [texts]
        use heirloom::query::Expr;

        let watering = app.tasks.filter(Task::TITLE.contains_ignore_case("WAT"));
        assert_eq!(watering.one()?.title, "water");
        let some = Task::TITLE.like("w%r") | Task::TITLE.eq_ignore_case("Sow");
        assert_eq!(app.tasks.filter(some).count()?, 2);

        let words = ["so", "ig"].map(|word| Task::TITLE.contains(word));
        assert_eq!(app.tasks.filter(Expr::any(words)).count()?, 2);
        let untagged = !Task::TAGS.contains_any(["garden", "shop"]);
        let short = app.tasks.filter(untagged).filter_by(|task| task.title.len() < 4);
        assert!(short.exists()?);
        // [end]
        // [pages]
        let tasks = app.tasks.order_by(Task::DUE);
        let first: Vec<Task> = tasks.clone().limit(2).all()?;
        let second = tasks.clone().after(&first[1]).limit(2).all()?;
        assert_eq!(second[0].title, "water");

        app.tasks.remove(&second[0].id)?; // what counts is its place, and that stays
        let back = tasks.before(&second[0]).limit(2).all()?;
        assert_eq!(back, first);
        // [end]
        // [keys]
        let early: Vec<Id<Task>> = app.tasks.filter(Task::DUE.lt("2026-03-04")).keys()?;
        let found: Vec<Option<Task>> = app.tasks.get_many(&early)?; // in the order of the ids
        assert_eq!(found.len(), 2);
        assert_eq!(app.tasks.remove_many(&early)?, 2);
        assert_eq!(app.tasks.get_many(&early)?, [None, None]);
        // [end]
        Ok(())
    }
}

mod unique {
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    struct Txn {
        #[key]
        number: u32,
        #[index(unique)]
        bank_ref: String,
        cents: i64,
    }

    #[derive(Store)]
    struct Bank {
        txns: Table<Txn>,
    }

    #[test]
    fn unique_values() -> heirloom::Result<()> {
        let bank = Bank::in_memory()?;
        // [unique]
        let booked = |number, cents| Txn { number, bank_ref: "a-7".into(), cents };
        bank.txns.insert(&booked(1, 500))?;
        assert_eq!(bank.txns.upsert_by(Txn::BANK_REF, &booked(2, 600))?, 1); // the key stays
        assert_eq!(bank.txns.get_by(Txn::BANK_REF, "a-7")?, Some(booked(1, 600)));
        assert!(!bank.txns.insert_or_ignore(&booked(3, 700))?);
        // [end]
        Ok(())
    }
}

mod people {
    use heirloom::{Fields, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    // [people]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
    pub struct Address {
        city: String,
        zip: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(index(home.city, name))]
    pub struct Person {
        #[key]
        name: String,
        home: Address,
        work: Option<Address>,
    }
    // [end]

    #[derive(Store)]
    struct App {
        people: Table<Person>,
    }

    #[test]
    fn paths() -> heirloom::Result<()> {
        let app = App::in_memory()?;
        let bern = Address { city: "Bern".into(), zip: None };
        let thun = Address { city: "Thun".into(), zip: None };
        app.people.insert(&Person { name: "Ada".into(), home: bern.clone(), work: Some(bern) })?;
        app.people.insert(&Person { name: "Max".into(), home: thun, work: None })?;
        // [paths]
        let at_home = app.people.filter(Person::HOME.field(Address::CITY).starts_with("B"));
        assert_eq!(at_home.count()?, 1);

        let elsewhere = app.people.filter(Person::WORK.field(Address::CITY).is_none());
        assert_eq!(elsewhere.one()?.name, "Max");

        let by_city = app.people.order_by(Person::HOME.field(Address::CITY).desc());
        assert_eq!(by_city.all()?[0].name, "Max");
        // [end]
        Ok(())
    }
}

mod payments {
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    // [payments]
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(index(date, cents))]
    struct Payment {
        #[key]
        number: u32,
        date: String,
        shop: String,
        cents: i64,
    }
    // [end]

    #[derive(Store)]
    struct App {
        payments: Table<Payment>,
    }

    #[test]
    fn sums() -> heirloom::Result<()> {
        let app = App::in_memory()?;
        let rows = [
            (1, "2026-01-30", "grocer", 50),
            (2, "2026-01-31", "baker", 900),
            (3, "2026-02-01", "baker", 300),
        ];
        app.payments.insert_many(rows.map(|(number, date, shop, cents)| Payment {
            number,
            date: date.into(),
            shop: shop.into(),
            cents,
        }))?;
        // [sums]
        use heirloom::query::count;

        let spring = app.payments.filter(Payment::DATE.starts_with("2026-0"));
        assert_eq!(spring.sum(Payment::CENTS)?, 1_250);
        assert_eq!(spring.max(Payment::CENTS)?, Some(900));

        let month = Payment::DATE.map(|date| date.chars().take(7).collect::<String>());
        let months = spring.group_by(month).aggregate((count(), Payment::CENTS.sum()));
        assert_eq!(months.all()?[0], ("2026-01".to_owned(), (2, 950)));

        let dearest = app.payments.query().group_by(Payment::SHOP).aggregate(Payment::CENTS.sum());
        let dearest =
            dearest.having(|_, cents| *cents > 100).sort_by(|a, b| b.1.cmp(&a.1)).limit(3);
        let watch = dearest.watch()?;
        assert_eq!(watch.recv()?[0], ("baker".to_owned(), 1_200));

        app.payments.update(&1, |payment| payment.cents = 5_000)?;
        assert_eq!(watch.recv()?[0], ("grocer".to_owned(), 5_000));
        // [end]
        Ok(())
    }
}

mod bank {
    use heirloom::{Store, Table};

    #[derive(
        Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table,
    )]
    struct Account {
        #[key]
        owner: String,
        cents: i64,
    }

    #[derive(Store)]
    struct Bank {
        accounts: Table<Account>,
    }

    #[test]
    fn transactions_and_snapshots() -> heirloom::Result<()> {
        let bank = Bank::in_memory()?;
        bank.accounts.insert(&Account { owner: "ada".into(), cents: -5 })?;
        // [transaction]
        let before = bank.snapshot()?;
        bank.transaction(|tx| {
            tx.filter(Account::CENTS.lt(0)).update_all(|account| account.cents -= 1)?;
            assert_eq!(tx.filter(Account::CENTS.eq(-6)).count()?, 1);
            Ok(())
        })?;
        assert_eq!(before.filter(Account::CENTS.eq(-5)).count()?, 1);
        // [end]
        Ok(())
    }
}

mod cinema {
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    // [films]
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(index(genre, rating))]
    struct Film {
        #[key]
        title: String,
        genre: String,
        rating: u8,
        #[index]
        year: u16,
        #[index(each)]
        cast: Vec<String>,
    }
    // [end]

    #[derive(Store)]
    struct Cinema {
        films: Table<Film>,
    }

    #[test]
    fn plans() -> heirloom::Result<()> {
        let cinema = Cinema::in_memory()?;
        // [plans]
        let best =
            cinema.films.filter(Film::GENRE.eq("noir")).order_by(Film::RATING.desc()).limit(3);
        assert_eq!(
            best.explain(),
            "index (genre, rating) of `film`, 1 range, backwards, at most 3"
        );
        let recent = cinema.films.filter(Film::YEAR.ge(2020)).order_by(Film::TITLE);
        assert_eq!(recent.explain(), "index (year) of `film`, 1 range, sorted by title");
        let duo = cinema.films.filter(Film::CAST.contains_all(["Bacall", "Bogart"]));
        assert_eq!(duo.explain(), "index (each cast) of `film`, what 2 ranges have in common");
        let all = cinema.films.filter(Film::RATING.ge(8));
        assert_eq!(all.explain(), "scan of `film`, filtered");
        // [end]
        Ok(())
    }
}

mod live {
    use heirloom::{Store, Table};

    #[derive(
        Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table,
    )]
    struct Task {
        #[key]
        name: String,
        urgency: u8,
    }

    #[derive(Store)]
    struct App {
        tasks: Table<Task>,
    }

    #[test]
    fn watches() -> heirloom::Result<()> {
        let app = App::in_memory()?;
        // [watch]
        let watch = app.tasks.order_by(Task::URGENCY.desc()).limit(10).watch()?;
        let mut list: Vec<Task> = Vec::new();
        watch.recv()?.apply(&mut list); // the whole result, which is empty

        app.tasks.insert(&Task { name: "sow".into(), urgency: 3 })?;
        let delta = watch.recv()?; // waits for the next one
        assert_eq!(delta.inserted()[0].position(), 0);
        delta.apply(&mut list);
        assert!(watch.try_recv()?.is_none()); // does not wait

        let mut urgent = app.watch(|snap| snap.filter(Task::URGENCY.gt(8)).count())?;
        assert_eq!(urgent.recv()?, 0); // recomputed when a table that it read changes
        // [end]
        Ok(())
    }
}

mod names {
    use heirloom::Table;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    // [names]
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Quota {
        #[key]
        owner: String,
        #[column(name = "LIMIT_COLUMN")]
        #[evolve(default = Self::LIMIT)]
        limit: u32,
        #[column(skip)]
        note: String,
    }

    impl Quota {
        const LIMIT: u32 = 100;
    }
    // [end]

    #[test]
    fn columns_of_other_names() {
        let _ = Quota::LIMIT_COLUMN.gt(Quota::LIMIT);
    }
}
