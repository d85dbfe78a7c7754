fn main() {
    println!("{}", openai_admin::DEFAULT_BASE_URL);
}
