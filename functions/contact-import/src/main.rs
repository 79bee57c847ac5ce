#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(contact_import::handle).await
}
