#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(campaign_export::handle).await
}
