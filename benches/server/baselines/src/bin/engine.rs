//! `engine DATABASE USERS SECONDS THREADS`: pages of 100 users of the dominant group from random places, in process:
//! the statements that a server has to run, and nothing else. Prints pages a second.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use baselines::{Result, arguments};
use rusqlite::{Connection, OpenFlags};

const PAGE: &str = "select u.id, u.name, u.email
     from (select user_seq from group_users where org = $1 and group_seq = $2 and user_seq < $3
           order by user_seq desc limit $4) m
     cross join users u where u.org = $1 and u.seq = m.user_seq order by m.user_seq desc";

fn main() -> Result<()> {
    let [database, users, seconds, threads] = &arguments()[..] else { return Err("four arguments".into()) };
    let (users, seconds, threads): (u64, u64, u64) = (users.parse()?, seconds.parse()?, threads.parse()?);
    let (stop, pages) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, pages) = (&stop, &pages);
            scope.spawn(move || read(database, users, thread + 1, stop, pages).expect("pages are read"));
        }
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Relaxed);
    });
    println!("{}", pages.into_inner() / seconds);
    Ok(())
}

fn read(database: &str, users: u64, seed: u64, stop: &AtomicBool, pages: &AtomicU64) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    let mut group = connection.prepare("select seq from groups where org = 1 and id = ? and removed_at is null")?;
    let mut place = connection.prepare("select seq from users where org = 1 and id = ?")?;
    let mut page = connection.prepare(PAGE)?;
    let mut random = seed;
    let mut bytes = 0;
    while !stop.load(Relaxed) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let cursor = format!("user-{:024}", (random >> 33) % (users - 200) + 150);
        connection.execute_batch("begin")?;
        let group_seq: i64 = group.query_row([format!("group_{:026}", 1)], |row| row.get(0))?;
        let after: i64 = place.query_row([cursor], |row| row.get(0))?;
        let mut rows = page.query((1, group_seq, after, 101))?;
        while let Some(row) = rows.next()? {
            bytes += row.get_ref(0)?.as_str()?.len() + row.get_ref(1)?.as_str()?.len();
            bytes += row.get_ref(2)?.as_str_or_null()?.map_or(0, str::len);
        }
        drop(rows);
        connection.execute_batch("rollback")?;
        pages.fetch_add(1, Relaxed);
    }
    std::hint::black_box(bytes);
    Ok(())
}
