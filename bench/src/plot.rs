//! Plots of what was measured.

use std::path::Path;

use plotters::prelude::*;

use crate::{EVERYBODY, Failure, figures::Figures};

/// How p99 grows with what is delivered, for each server.
pub fn rates(figures: &Figures, file: &Path) -> Result<(), Failure> {
    let most = EVERYBODY.iter().flat_map(|kind| figures.steps(*kind)).map(|step| step.delivered);
    let most = most.fold(0.0, f64::max);
    if most == 0.0 {
        return Ok(());
    }
    let area = SVGBackend::new(file, (800, 450)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("p99 of a message, 200 rooms of 5", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(55)
        .build_cartesian_2d(0.0..most * 1.05, (0.3..1_000.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("messages delivered a second")
        .y_desc("p99, ms")
        .x_label_formatter(&|delivered| format!("{delivered:.0}"))
        .draw()?;
    for (nth, kind) in EVERYBODY.into_iter().enumerate() {
        let color = Palette99::pick(nth).to_rgba();
        let points: Vec<_> =
            figures.steps(kind).iter().map(|step| (step.delivered, step.p99)).collect();
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
