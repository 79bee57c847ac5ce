#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(notify::handle).await
}
