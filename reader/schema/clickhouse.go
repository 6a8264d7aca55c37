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
// flows, then that of collections.
func (h ClickHouse) Statements() []string {
	return []string{
		h.table(h.Flows, record.Columns(), "(Meter, RuleSet, IntervalEndNs, FlowIndex, FirstTimeNs, Boot)"),
		h.table(h.Collections, record.OfCollection(), "(Meter, IntervalEndNs, RuleSets, Boot)"),
	}
}

func (h ClickHouse) table(name string, columns []record.Column, order string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (\n", name)
	for _, c := range columns {
		fmt.Fprintf(&b, "  %s %s,\n", c.Name, h.typeOf(c))
	}
	if !h.Old {
		for _, c := range columns {
			if isAddress(c) {
				fmt.Fprintf(&b, "  %s IPv6 MATERIALIZED toIPv6OrDefault(%s),\n", strings.TrimSuffix(c.Name, "Address")+"IP", c.Name)
			}
		}
	}
	end, engine := "DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Nano(IntervalEndNs, 'UTC')", "ReplacingMergeTree"
	if h.Old {
		end = "DateTime('UTC') MATERIALIZED toDateTime(intDiv(IntervalEndNs, 1000000000), 'UTC')"
	}
	if h.Replicated {
		engine = "ReplicatedReplacingMergeTree"
		if h.Old {
			engine += "('/clickhouse/tables/" + name + "', '{replica}')"
		}
	} else if h.Old {
		engine += "()"
	}
	fmt.Fprintf(&b, "  IntervalEnd %s\n) ENGINE = %s\nPARTITION BY toYYYYMMDD(IntervalEnd)\nORDER BY %s", end, engine, order)
	if h.Days > 0 && !h.Old {
		fmt.Fprintf(&b, "\nTTL toDateTime(IntervalEnd) + INTERVAL %d DAY", h.Days)
	}
	if !h.Replicated && !h.Old {
		b.WriteString("\nSETTINGS non_replicated_deduplication_window = 1000")
	}
	return b.String()
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
