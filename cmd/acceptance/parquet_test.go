package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// largest is a flow with numbers of all 64 bits, an address that it does not have, and
// nothing known of what its interval added.
const largest = `{"record":"header","version":"5.3","parameters":"","meter":"gw/1ü%","interfaces":[],"maxFlows":1000,"startNs":1,"epochNs":1,"format":"FlowIndex","statistics":false}
{"record":"start","meter":"gw/1ü%","boot":"0a","from":1,"to":6000,"startNs":1,"endNs":1795252465227917999}
{"record":"flow","Schema":1,"Meter":"gw/1ü%","Boot":"0a","EpochNs":1,"RuleSet":"11","RuleSetName":"a \"b\"","FlowRuleSet":2,"IntervalStartNs":1,"IntervalEndNs":1795252465227917999,"FlowIndex":4294967295,"FirstTime":0,"LastActiveTime":0,"FirstTimeNs":2,"LastActiveTimeNs":9,"SourcePeerType":1,"SourcePeerAddress":"192.0.2.1","DestPeerAddress":"","ToPDUs":18446744073709551615,"FromPDUs":0,"ToOctets":18446744073709551615,"FromOctets":9007199254740993}
{"record":"end","flows":1}
`

// duckDB is a process of DuckDB that answers queries.
type duckDB struct {
	t       *testing.T
	queries io.Writer
	answers *bufio.Reader
}

// startDuckDB starts DuckDB from npm, of the version and with the hashes that
// testdata/duckdb/package-lock.json names.
func startDuckDB(t *testing.T) *duckDB {
	t.Helper()
	node, npm := tracetest.Require(t, "node"), tracetest.Require(t, "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("cmd/acceptance/testdata/duckdb")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		tracetest.Missing(t, "npm", err)
	}
	cmd := exec.CommandContext(ctx, node, filepath.Join(dir, "read.mjs"))
	cmd.Stderr = os.Stderr
	queries, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		queries.Close()
		cmd.Wait()
	})
	return &duckDB{t: t, queries: queries, answers: bufio.NewReader(answers)}
}

// ask returns the rows that a query has.
func (d *duckDB) ask(format string, args ...any) (rows [][]any) {
	d.t.Helper()
	query := fmt.Sprintf(format, args...)
	fmt.Fprintln(d.queries, query)
	line, err := d.answers.ReadBytes('\n')
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	if err := json.Unmarshal(line, &rows); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return rows
}

// one returns the only value that a query has, as text.
func (d *duckDB) one(format string, args ...any) string {
	d.t.Helper()
	rows := d.ask(format, args...)
	if len(rows) != 1 || len(rows[0]) != 1 {
		d.t.Fatalf("%v", rows)
	}
	return fmt.Sprint(rows[0][0])
}

// column is what a column has in all rows.
type column struct {
	values int
	sum    *big.Int // of numbers, or of the octets of texts
}

func (c *column) add(v any) {
	c.values++
	if n, ok := v.(json.Number); ok {
		i, _ := new(big.Int).SetString(n.String(), 10)
		c.sum.Add(c.sum, i)
		return
	}
	c.sum.Add(c.sum, big.NewInt(int64(len(fmt.Sprintf("%s", v)))))
}

// columnsOfJSON returns the columns of the flows in JSON lines.
func columnsOfJSON(t *testing.T, path string) map[string]*column {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]*column)
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(`{"record":"flow",`)) {
			continue
		}
		var row map[string]json.RawMessage
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		for name, raw := range row {
			if name == "record" || strings.HasSuffix(name, "Address") && string(raw) == `""` {
				continue
			}
			if all[name] == nil {
				all[name] = &column{sum: new(big.Int)}
			}
			var v any = raw
			if raw[0] != '{' && raw[0] != '[' && !strings.HasSuffix(name, "Mask") || raw[0] == '"' {
				d := json.NewDecoder(bytes.NewReader(raw))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
			}
			all[name].add(v)
		}
	}
	return all
}

// compare compares all columns of Parquet files of flows with those of JSON lines.
func (d *duckDB) compare(files string, want map[string]*column) {
	d.t.Helper()
	var terms, names []string
	for _, c := range d.ask("describe select * from read_parquet('%s', hive_partitioning=false)", files) {
		name, kind := fmt.Sprint(c[0]), fmt.Sprint(c[1])
		sum := "sum(" + name + ")"
		if kind == "VARCHAR" || kind == "JSON" {
			sum = "sum(strlen(" + name + "))"
		}
		if name != "IntervalEnd" {
			terms = append(terms, "count("+name+")", sum+"::varchar")
			names = append(names, name)
		}
	}
	row := d.ask("select %s from read_parquet('%s')", strings.Join(terms, ","), files)[0]
	for i, name := range names {
		values, sum := fmt.Sprint(row[2*i]), fmt.Sprint(row[2*i+1])
		if c := want[name]; c == nil {
			if values != "0" {
				d.t.Errorf("%s has %s values, the JSON lines none", name, values)
			}
		} else if values != fmt.Sprint(c.values) || sum != c.sum.String() {
			d.t.Errorf("%s has %s values of %s, the JSON lines have %d of %s", name, values, sum, c.values, c.sum)
		}
		delete(want, name)
	}
	for name := range want {
		d.t.Errorf("there is no column %s", name)
	}
	if got := d.one("select count(*) from read_parquet('%s') where epoch_us(IntervalEnd) <> IntervalEndNs // 1000", files); got != "0" {
		d.t.Errorf("IntervalEnd is another time than IntervalEndNs %s times", got)
	}
}

// TestParquetDuckDB reads Parquet files with DuckDB: whatever flows have saved, counts and
// sums of each column are those of the JSON lines of the same run.
func TestParquetDuckDB(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in DuckDB")
	}
	db := startDuckDB(t)
	t.Run("features", func(t *testing.T) { featuresParquet(t, &duckDB{t, db.queries, db.answers}) })
	t.Run("kills", func(t *testing.T) { parquetKills(t, &duckDB{t, db.queries, db.answers}) })
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"conversations": {"-T", "60"},
		"prefixes":      {"-e", "save SourcePeerAddress/24; save DestPeerAddress/24; save DestTransAddress; count;"},
		"no addresses":  {"-e", "save SourceTransType; count;"},
		"measures":      {"-r", "ruleset/examples/packet-sizes.srl", "-r", "ruleset/examples/classify-features.srl"},
		"stations":      {"-r", "ruleset/examples/stations.srl"},
	} {
		t.Run(name, func(t *testing.T) {
			db := &duckDB{t, db.queries, db.answers}
			out, lines := filepath.Join(dir, name), filepath.Join(dir, name+".json")
			args = append([]string{"run", "-q", "--json", "-F", lines, "--export", "parquet:" + out}, args...)
			succeed(t, append(args, "traces/testdata/sample.pcap")...)
			db.compare(out+"/flows/**/*.parquet", columnsOfJSON(t, lines))
			flows := db.one("select sum(Flows)::varchar from '%s/collections/**/*.parquet'", out)
			if got := db.one("select count(*) from '%s/flows/**/*.parquet'", out); got != flows {
				t.Errorf("%s flows, the collections tell of %s", got, flows)
			}
		})
	}
	t.Run("largest numbers", func(t *testing.T) {
		lines, out := filepath.Join(dir, "largest.json"), filepath.Join(dir, "largest")
		if err := os.WriteFile(lines, []byte(largest), 0o666); err != nil {
			t.Fatal(err)
		}
		succeed(t, "flows", "convert", lines, "parquet:"+out)
		db := &duckDB{t, db.queries, db.answers}
		db.compare(out+"/flows/**/*.parquet", columnsOfJSON(t, lines))
		if got := db.one("select meter from read_parquet('%s/flows/**/*.parquet', hive_partitioning=true)", out); got != "gw/1ü%" {
			t.Errorf("its meter is %q", got)
		}
	})
	files := filepath.Join(dir, "conversations", "flows/**/*.parquet")
	plan := fmt.Sprint(db.ask("explain select count(*) from read_parquet('%s', hive_partitioning=true) where day = '2026-11-22'", files))
	if !strings.Contains(plan, "Scanning Files: 0/5") {
		t.Errorf("files of another day are read: %s", plan)
	}
	if got := db.one("select count(distinct day) from read_parquet('%s', hive_partitioning=true) where meter = 'sample.pcap'", files); got != "1" {
		t.Errorf("%s days of the meter", got)
	}
	if got := db.one("select count(*) from parquet_metadata('%s') where path_in_schema in ('ToOctets', 'IntervalEndNs', 'DestPeerAddress') and (stats_min_value is null or stats_max_value is null)", files); got != "0" {
		t.Errorf("%s columns have no least and greatest value", got)
	}
}

// parquetKills kills a program that writes Parquet files at some points: DuckDB reads all
// that have their name, and once it was let through there is all.
func parquetKills(t *testing.T, db *duckDB) {
	program, err := exec.LookPath("rtfm")
	if err != nil {
		t.Fatal(err)
	}
	out, spool := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "spool")
	run := func() *exec.Cmd {
		return exec.Command(program, "run", "-q", "-T", "20", "--spool", spool, "--export", "parquet:"+out, "traces/testdata/sample.pcap")
	}
	random := rand.New(rand.NewPCG(1, 2))
	kills := 5
	if os.Getenv("RTFM_LONG") != "" {
		kills = 200
	}
	for range kills {
		cmd := run()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+random.IntN(200)) * time.Millisecond) // any point will do
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(spool) // the trace is metered again
	}
	left := 0
	filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			left++
		}
		return nil
	})
	t.Logf("%d files after %d kills", left, kills)
	if left > 0 {
		db.one("select count(ToOctets) from '%s/**/*.parquet'", filepath.Join(out, "flows"))
	}
	if text, err := run().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	lines := filepath.Join(t.TempDir(), "lines")
	succeed(t, "run", "-q", "-T", "20", "--json", "-r", "@conversations", "-F", lines, "traces/testdata/sample.pcap")
	db.compare(out+"/flows/**/*.parquet", columnsOfJSON(t, lines))
}
