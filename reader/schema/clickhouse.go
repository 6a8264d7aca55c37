package schema

import (
	"fmt"
	"strings"

	"rtfm/reader/record"
)

// ClickHouse says how tables of ClickHouse are to be.
type ClickHouse struct {
	// Flows and Collections are the names of the tables, with that of the database and
	// a period in front if they are not in the default one.
	Flows, Collections string
	// Replicated is set for tables that replicas keep together.
	Replicated bool
	// Old is set for servers before 20.6, which lack types of times and addresses.
	Old bool
	// Days is for how long rows are kept, 0 for ever. Old servers keep all.
	Days int
}

// Statements returns what creates the tables, if they are not there: first that of
// flows, then that of collections, then the view of flows whose collections are whole.
func (h ClickHouse) Statements() []string {
	return []string{
		h.table(h.Flows, record.Columns(), "(Meter, RuleSet, IntervalEndNs, FlowIndex, FirstTimeNs, Boot)"),
		h.table(h.Collections, record.OfCollection(), "(Meter, IntervalEndNs, RuleSets, Boot)"),
		h.whole(),
	}
}

func (h ClickHouse) table(name string, columns []record.Column, order string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (\n", name)
	for _, c := range columns {
		fmt.Fprintf(&b, "  %s %s,\n", c.Name, h.typeOf(c))
	}
	for _, name := range h.computed(columns) {
		fmt.Fprintf(&b, "  %sIP IPv6 MATERIALIZED toIPv6OrDefault(%[1]sAddress),\n", name)
	}
	kind, end, engine := "DateTime64(3, 'UTC')", "fromUnixTimestamp64Nano(IntervalEndNs, 'UTC')", "ReplacingMergeTree"
	if h.Old {
		kind, end, engine = "DateTime('UTC')", "toDateTime(intDiv(IntervalEndNs, 1000000000), 'UTC')", "ReplacingMergeTree()"
	}
	if h.Replicated {
		// A path is needed: without, each replica would have a table of its own.
		engine = "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/" + name + "', '{replica}')"
	}
	// Partitions are of the key's column, for FINAL passes over no partition by another.
	fmt.Fprintf(&b, "  IntervalEnd %s MATERIALIZED %s\n) ENGINE = %s\nPARTITION BY toYYYYMMDD(%[2]s)\nORDER BY %[4]s", kind, end, engine, order)
	if h.Days > 0 && !h.Old {
		fmt.Fprintf(&b, "\nTTL toDateTime(IntervalEnd) + INTERVAL %d DAY", h.Days)
	}
	if !h.Replicated && !h.Old {
		b.WriteString("\nSETTINGS non_replicated_deduplication_window = 1000")
	}
	return b.String()
}

// computed returns the peers whose addresses have a column as IPv6, too.
func (h ClickHouse) computed(columns []record.Column) (peers []string) {
	for _, c := range columns {
		if isAddress(c) && !h.Old {
			peers = append(peers, strings.TrimSuffix(c.Name, "Address"))
		}
	}
	return peers
}

// whole returns what creates the view of the flows of all collections that are whole:
// their rows are there, and as many flows as they tell, each once. Servers since 20.6 pass
// a condition for columns of the key on to all three tables. Older ones do not, and have
// looked for what is whole before they read flows only where that is asked for by IN.
func (h ClickHouse) whole() string {
	const key = "Meter, RuleSet, IntervalEndNs, Boot"
	collections := fmt.Sprintf(`SELECT %[1]s FROM (
    SELECT Meter, IntervalEndNs, Boot, groupArray(RuleSet) AS hashes, any(Flows) AS wanted, sum(n) AS there
    FROM (SELECT Meter, IntervalEndNs, Boot, RuleSets, Flows, arrayJoin(splitByChar(',', RuleSets)) AS RuleSet FROM %[2]s FINAL) AS c
    ALL INNER JOIN (SELECT %[1]s, count() AS n FROM %[3]s FINAL GROUP BY %[1]s) AS r USING (%[1]s)
    GROUP BY Meter, IntervalEndNs, Boot, RuleSets
    HAVING there = wanted
  ) ARRAY JOIN hashes AS RuleSet`, key, h.Collections, h.Flows)
	var columns strings.Builder
	for _, name := range h.computed(record.Columns()) {
		fmt.Fprintf(&columns, ", f.%sIP AS %[1]sIP", name)
	}
	head := fmt.Sprintf("CREATE VIEW IF NOT EXISTS %s_whole AS\n", h.Flows)
	if h.Old {
		return head + fmt.Sprintf("SELECT *, IntervalEnd FROM %s FINAL\nWHERE (%s) IN (\n  %s\n)", h.Flows, key, collections)
	}
	return head + fmt.Sprintf("SELECT f.*, f.IntervalEnd AS IntervalEnd%s\nFROM %s AS f FINAL\nALL INNER JOIN (\n  %s\n) AS w USING (%s)",
		&columns, h.Flows, strings.Replace(collections, "SELECT ", "SELECT DISTINCT ", 1), key)
}

// typeOf returns the type of a column. What a flow has not saved is 0 or empty; that
// nobody knows what an interval added is NULL, for 0 would be wrong in sums.
func (h ClickHouse) typeOf(c record.Column) string {
	switch c.Type {
	case "json":
		return "String"
	case "string":
		if isFew(c) && !h.Old {
			return "LowCardinality(String)"
		}
		return "String"
	}
	number := strings.NewReplacer("uint", "UInt", "int", "Int").Replace(c.Type)
	if isDelta(c) || isUnsure(c) {
		return "Nullable(" + number + ")"
	}
	return number
}

// isUnsure reports whether a column of collections has what is not always known.
func isUnsure(c record.Column) bool {
	switch c.Name {
	case "Lost", "Uncounted", "Sampling", "Packets", "Octets", "Ignored", "Unmatched", "Stopped", "Active", "Postponed", "Dropped", "DroppedFlows":
		return true
	}
	return false
}
