//! What all callers have in common: arguments, the loop, the answers that are right, the counting allocator.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// The group of every call.
pub const GROUP_ID: &str = "group_01J1F8ABCDXYZ0123456789AB";
/// The user of every add.
pub const USER_ID: &str = "user-aB3dE5gH7jK9mN1pQ3sT5vW7";
/// The key of every call.
pub const KEY: &str = "sk-admin-0123456789abcdef0123456789abcdef0123456789abcdef";
/// How many users the page holds.
pub const PAGE_USERS: usize = 100;

/// A client under measurement. Each method makes one call and panics unless the answer is right.
pub trait Caller: Clone + Send + Sync + 'static {
    /// A client of the service at `base_url`, such as `http://127.0.0.1:1/v1`.
    fn new(base_url: &str) -> Self;
    /// Adds [`USER_ID`] to [`GROUP_ID`].
    fn add(&self) -> impl Future<Output = ()> + Send;
    /// Reads one page of the users of [`GROUP_ID`].
    fn list(&self) -> impl Future<Output = ()> + Send;
    /// Adds, removes or lists as given by the arguments, and describes the result for the page on behaviour.
    fn tell(&self, arguments: &[String]) -> impl Future<Output = String> + Send;
}

/// `CALLER add|list CALLS [--in-flight K] --url URL` or `CALLER tell --url URL …`.
pub fn main<C: Caller>() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let url = option("--url").expect("--url says where the stub is");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if arguments[0] == "tell" {
        println!("{}", runtime.block_on(async { C::new(url).tell(&arguments[3..]).await }));
        return;
    }
    let calls: usize = arguments[1].parse().expect("a number of calls");
    let in_flight: usize =
        option("--in-flight").map_or(1, |number| number.parse().expect("a number in flight"));
    let list = match arguments[0].as_str() {
        "add" => false,
        "list" => true,
        other => panic!("{other} is neither add nor list"),
    };
    let allocations_before = ALLOCATIONS.load(Ordering::Relaxed);
    let begun = Instant::now();
    runtime.block_on(async {
        let caller = C::new(url);
        let tasks: Vec<_> = (0..in_flight)
            .map(|task| {
                let caller = caller.clone();
                let calls = calls / in_flight + usize::from(task < calls % in_flight);
                tokio::spawn(async move {
                    for _ in 0..calls {
                        if list { caller.list().await } else { caller.add().await }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every answer is right");
        }
    });
    let nanoseconds_per_call = begun.elapsed().as_nanos() / calls.max(1) as u128;
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - allocations_before;
    println!("{nanoseconds_per_call} {allocations}");
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Counts every block that is asked for, and every block that is asked to grow.
pub struct CountingAllocator;

unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(block, layout, size) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

/// Writes a caller's `main`.
#[macro_export]
macro_rules! caller {
    ($caller:ty) => {
        #[cfg(feature = "count-allocations")]
        #[global_allocator]
        static ALLOCATOR: driver::CountingAllocator = driver::CountingAllocator;

        fn main() {
            driver::main::<$caller>();
        }
    };
}
