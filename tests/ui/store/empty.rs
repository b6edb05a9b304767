// A store holds something.

use heirloom::Store;

#[derive(Store)]
struct App {

}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    App::open("app.redb")?;
    Ok(())
}
