#[tokio::main]
async fn main() -> Result<(), aws::Error> {
    aws::queue(campaign_plan::handle).await
}
