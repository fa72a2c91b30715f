//! Plots of what was measured.

use std::path::Path;

use plotters::prelude::*;

use crate::{EVERYBODY, Failure, figures::Figures, report::MESSAGE_COST};

/// Lines over a plane of which both axes are logarithmic.
struct Plot {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// How p99 grows with what is delivered, for each server.
pub fn rates(figures: &Figures, file: &Path) -> Result<(), Failure> {
    let lines = EVERYBODY.map(|kind| {
        let steps = figures.steps(kind);
        (kind.name(), steps.iter().map(|step| (step.delivered, step.p99)).collect())
    });
    let plot = Plot {
        title: "How late messages are, in 200 rooms of 5",
        x: "messages delivered a second",
        y: "p99, ms",
        lines: lines.into(),
    };
    plot.draw(file)
}

/// What a delivered message costs as a room grows.
pub fn growth(figures: &Figures, file: &Path) -> Result<(), Failure> {
    let lines = EVERYBODY.map(|kind| (kind.name(), figures.by_size("W7", MESSAGE_COST, kind)));
    let plot = Plot {
        title: "What a delivered message costs",
        x: "members of the room",
        y: "processor time, µs",
        lines: lines.into(),
    };
    plot.draw(file)
}

impl Plot {
    /// Draws it, unless nothing was measured.
    fn draw(self, file: &Path) -> Result<(), Failure> {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let bounds = |of: fn(&(f64, f64)) -> f64| {
            let (least, most) =
                points().map(of).fold((f64::MAX, f64::MIN), |(least, most), value| {
                    (least.min(value), most.max(value))
                });
            least / 1.5..most * 1.5
        };
        if points().next().is_none() {
            return Ok(());
        }
        let area = SVGBackend::new(file, (800, 450)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(55)
            .build_cartesian_2d(
                bounds(|point| point.0).log_scale(),
                bounds(|point| point.1).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .draw()?;
        for (nth, (name, points)) in self.lines.iter().enumerate() {
            let color = Palette99::pick(nth).to_rgba();
            if points.is_empty() {
                continue;
            }
            chart
                .draw_series(LineSeries::new(points.clone(), color.stroke_width(2)).point_size(3))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
        Ok(())
    }
}
