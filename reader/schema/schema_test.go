package schema

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"
)

// TestColumns: all tables have all columns, each once, and in the same order.
func TestColumns(t *testing.T) {
	h := ClickHouse{Flows: "flows", Collections: "collections", Days: 90}
	old := ClickHouse{Flows: "flows", Collections: "collections", Days: 90, Old: true}
	p := Postgres{Flows: "flows", Collections: "collections"}.Statements()
	flows := []string{h.Statements()[0], old.Statements()[0], p[0], Parquet()}
	collections := []string{h.Statements()[1], old.Statements()[1], p[2], ParquetOfCollections()}
	column := regexp.MustCompile(`(?m)^\s+(?:(?:optional|required) \w+ )?(\w+) .*[,;]$`)
	check := func(text string, columns []record.Column) {
		t.Helper()
		var got, want []string
		for _, m := range column.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[0], "MATERIALIZED") && !strings.Contains(m[0], " inet") && m[1] != "IntervalEnd" {
				got = append(got, m[1])
			}
		}
		for _, c := range columns {
			want = append(want, c.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d columns, want %d\n%s", len(got), len(want), text)
		}
	}
	for i := range flows {
		check(flows[i], record.Columns())
		check(collections[i], record.OfCollection())
	}
	for _, of := range []struct {
		key     []string
		columns []record.Column
	}{{record.Key(), record.Columns()}, {record.KeyOfCollection(), record.OfCollection()}} {
		for _, name := range of.key {
			if !slices.ContainsFunc(of.columns, func(c record.Column) bool { return c.Name == name }) {
				t.Errorf("there is no column %s", name)
			}
		}
	}
}

// TestTypes: columns have types that hold what is written.
func TestTypes(t *testing.T) {
	clickHouse := strings.Join(ClickHouse{Flows: "db.flows", Collections: "c", Days: 90}.Statements(), ";")
	old := strings.Join(ClickHouse{Flows: "flows", Collections: "c", Days: 90, Replicated: true, Old: true}.Statements(), ";")
	replicated := strings.Join(ClickHouse{Flows: "flows", Collections: "c", Replicated: true}.Statements(), ";")
	postgres := strings.Join(Postgres{Flows: "flows", Collections: "c"}.Statements(), ";")
	day := strings.Join(Postgres{Flows: "flows", Collections: "c"}.Day(time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)), ";")
	for _, c := range []struct {
		text string
		want []string
		not  string
	}{
		{clickHouse, []string{
			"CREATE TABLE IF NOT EXISTS db.flows (\n  Schema UInt8,\n  Meter LowCardinality(String),\n",
			"\n  SourcePeerAddress String,\n  SourcePeerMask LowCardinality(String),\n", "\n  SourceTransAddress UInt16,\n",
			"\n  InnerDestPeerIP IPv6 MATERIALIZED toIPv6OrDefault(InnerDestPeerAddress),\n", "\n  ToSizeStats String,\n",
			"\n  ToOctets UInt64,\n", "\n  DeltaToOctets Nullable(UInt64),\n", "\n  DeltaToResets Nullable(UInt64),\n", "\n  Lost Nullable(UInt64),\n",
			") ENGINE = ReplacingMergeTree\nPARTITION BY toYYYYMMDD(fromUnixTimestamp64Nano(IntervalEndNs, 'UTC'))\nORDER BY (Meter, RuleSet, IntervalEndNs, FlowIndex, FirstTimeNs, Boot)\nTTL toDateTime(IntervalEnd) + INTERVAL 90 DAY\nSETTINGS non_replicated_deduplication_window = 1000;",
		}, "AdjacentIP"},
		{old, []string{"\n) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/flows', '{replica}')\n", "DateTime('UTC')"}, "IPv6"},
		{old, nil, "TTL"},
		{old, nil, "LowCardinality"},
		{replicated, []string{"\n) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/c', '{replica}')\n", "CREATE VIEW IF NOT EXISTS flows_whole AS\nSELECT f.*, "}, "SETTINGS"},
		{postgres, []string{
			"\n  Boot text NOT NULL DEFAULT '',\n", "\n  ToOctets numeric(20),\n", "\n  FlowIndex bigint NOT NULL,\n", "\n  ToSizeStats jsonb,\n",
			"\n  InnerDestPeerIP inet,\n  IntervalEnd timestamptz,\n  PRIMARY KEY (Meter, Boot, RuleSet, FlowIndex, FirstTimeNs, IntervalEndNs)\n) PARTITION BY RANGE (IntervalEndNs);CREATE TABLE IF NOT EXISTS flows_rest PARTITION OF flows DEFAULT;",
		}, " ,"},
		{day, []string{
			"flows_20261121 PARTITION OF flows FOR VALUES FROM (1795219200000000000) TO (1795305600000000000);", "c_20261121 PARTITION OF c ",
		}, "DEFAULT"},
		{Parquet(), []string{
			"message flows {\n\toptional int32 Schema (INT(8,false));\n\trequired binary Meter (STRING);\n", "\toptional int64 ToOctets (INT(64,false));\n",
			"\trequired int64 FirstTimeNs (INT(64,true));\n", "\toptional binary ToSizeStats (JSON);\n", "MICROS));\n}",
		}, "optional int64 IntervalEnd"},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.text, want) {
				t.Errorf("no %q in\n%s", want, c.text)
			}
		}
		if strings.Contains(c.text, c.not) {
			t.Errorf("%q in\n%s", c.not, c.text)
		}
	}
}

// TestJSON: the JSON Schema is JSON that says what rows have.
func TestJSON(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]property
			Required   []string
		} `json:"$defs"`
	}
	if err := json.Unmarshal(JSON(), &s); err != nil {
		t.Fatal(err)
	}
	flow := s.Defs["flow"]
	if len(flow.Properties) != len(record.Columns()) || len(s.Defs["collection"].Properties) != len(record.OfCollection()) {
		t.Errorf("%d and %d columns", len(flow.Properties), len(s.Defs["collection"].Properties))
	}
	if p := flow.Properties["SourceTransAddress"]; p.Type != "integer" || p.Maximum != 65535 || p.Minimum == nil {
		t.Errorf("SourceTransAddress: %+v", p)
	}
	if p := flow.Properties["ToOctets"]; p.Maximum != 1<<64-1 {
		t.Errorf("ToOctets: %+v", p)
	}
}
