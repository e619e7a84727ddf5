//! The rules for Prometheus: each is explained, tried, and about metrics that there are.

use std::collections::BTreeSet;
use std::path::Path;

use overheard::metrics;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Names of the rules.
fn rules(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

#[test]
fn every_rule_says_in_the_runbook_what_it_means_and_what_to_do_and_is_tried() {
    let (text, runbook, tries) = (
        read("deploy/prometheus/rules.yml"),
        read("docs/runbook.md"),
        read("deploy/prometheus/rules_test.yml"),
    );
    let rules = rules(&text);
    assert!(rules.len() > 10);
    let sections: Vec<&str> = runbook.split("\n## ").skip(1).collect();
    for rule in &rules {
        let section = sections.iter().find(|section| section.lines().next() == Some(rule));
        let section = section.unwrap_or_else(|| panic!("docs/runbook.md has no section {rule}"));
        assert!(section.contains("**Means:**") && section.contains("**Do:**"), "{rule}");
        let link = format!("runbook: docs/runbook.md#{}\n", rule.to_lowercase());
        assert!(text.contains(&link), "{rule} does not lead to its section");
        assert!(tries.contains(&format!("- name: {rule} fires\n")), "no test makes {rule} fire");
    }
    let titles: BTreeSet<&str> = sections.iter().filter_map(|section| section.lines().next()).collect();
    assert_eq!(titles, rules.into_iter().collect(), "the runbook has sections of other rules");
}

#[test]
fn every_metric_in_a_rule_is_one_of_the_daemons() {
    let known: BTreeSet<&str> = metrics::ALL.iter().map(|metric| metric.name).collect();
    let text = read("deploy/prometheus/rules.yml");
    let named: BTreeSet<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("overheard_"))
        .collect();
    assert!(named.len() > 10);
    let unknown: Vec<&&str> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
