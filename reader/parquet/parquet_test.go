package parquet

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
	"rtfm/reader/record"
	"rtfm/reader/schema"
	"rtfm/reader/spool"
)

// A collection of two flows; %s stands for the meter's name, as JSON has it.
const collection = `{"record":"header","version":"5.3","parameters":"","meter":%[1]s,"interfaces":[],"maxFlows":1000,"startNs":1,"epochNs":1,"format":"FlowIndex","statistics":false}
{"record":"start","meter":%[1]s,"boot":"0a","from":1,"to":6000,"startNs":1,"endNs":1795252465227917999}
{"record":"flow","Schema":1,"Meter":%[1]s,"Boot":"0a","EpochNs":1,"RuleSet":"11","RuleSetName":"a \"b\" ü","FlowRuleSet":2,"IntervalStartNs":1,"IntervalEndNs":1795252465227917999,"FlowIndex":4294967295,"FirstTime":0,"LastActiveTime":64,"FirstTimeNs":-1,"LastActiveTimeNs":9,"SourcePeerType":1,"SourcePeerAddress":"192.0.2.1","DestPeerAddress":"","ToPDUs":18446744073709551615,"FromPDUs":0,"ToOctets":18446744073709551615,"FromOctets":9007199254740993}
{"record":"flow","Schema":1,"Meter":%[1]s,"Boot":"0a","EpochNs":1,"RuleSet":"11","RuleSetName":"","FlowRuleSet":2,"IntervalStartNs":1,"IntervalEndNs":1795252465227917999,"FlowIndex":7,"FirstTime":0,"LastActiveTime":64,"FirstTimeNs":1,"LastActiveTimeNs":9,"SourcePeerType":1,"ToPDUs":1,"FromPDUs":0,"ToOctets":40,"FromOctets":0,"DeltaToPDUs":1,"DeltaFromPDUs":0,"DeltaToOctets":40,"DeltaFromOctets":0}
{"record":"end","Known":"flows","flows":2,"lost":3,"uncounted":0,"sampling":1}
`

// send sends segments to a folder and returns the error that the first one met, if any.
func send(t *testing.T, folder string, segments ...string) error {
	t.Helper()
	s, err := spool.Open(filepath.Join(t.TempDir(), "spool"), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	outlet, err := s.Outlet("parquet", folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range segments {
		f, err := s.Create()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := s.Seal(); err != nil {
			t.Fatal(err)
		}
	}
	to, err := New(&export.Target{Scheme: "parquet", Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var failed error
	run := &export.Runner{Outlet: outlet, Exporter: to, Notify: func(n export.Notice) { failed = n.Err; stop() }}
	go func() {
		for outlet.Waiting() > 0 && ctx.Err() == nil {
			select {
			case <-s.Changed():
			case <-ctx.Done():
			}
		}
		stop()
	}()
	if err := run.Run(ctx); err != nil && failed == nil {
		failed = err
	}
	return failed
}

// files returns the paths of all files below a folder.
func files(t *testing.T, folder string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(folder, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read returns the rows of a file, by names of columns, as the library prints them.
func read(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := parquet.NewReader(f)
	defer r.Close()
	values := make([]parquet.Row, 10)
	n, _ := r.ReadRows(values)
	for _, row := range values[:n] {
		m := make(map[string]string)
		for _, v := range row {
			if !v.IsNull() {
				name := r.Schema().Columns()[v.Column()][0]
				leaf, _ := r.Schema().Lookup(name)
				switch {
				case !strings.Contains(leaf.Node.Type().String(), "false"): // INT(64,false) has no sign
					m[name] = v.String()
				case v.Kind() == parquet.Int32:
					m[name] = fmt.Sprint(v.Uint32())
				default:
					m[name] = fmt.Sprint(v.Uint64())
				}
			}
		}
		rows = append(rows, m)
	}
	return rows
}

// TestSend sends a collection and reads its files, and sends it again: the files stand
// where the meter and the day say, there are no others, and numbers are exact.
func TestSend(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	text := fmt.Sprintf(collection, `"gw 1"`)
	if err := send(t, folder, text, text); err != nil {
		t.Fatal(err)
	}
	at := "/meter=gw%201/day=2026-11-21/091425.227917999-0a-25d4f2a8.parquet"
	if got, want := files(t, folder), []string{"collections" + at, "flows" + at}; !slices.Equal(got, want) {
		t.Fatalf("files %q, want %q", got, want)
	}
	flows := read(t, folder+"/flows"+at)
	if len(flows) != 2 {
		t.Fatalf("%d flows", len(flows))
	}
	for column, want := range map[string]string{
		"Meter": "gw 1", "RuleSetName": `a "b" ü`, "FlowIndex": "4294967295", "FirstTimeNs": "-1",
		"IntervalEndNs": "1795252465227917999", "IntervalEnd": "1795252465227917",
		"SourcePeerAddress": "192.0.2.1", "DestPeerAddress": "", "FromOctets": "9007199254740993",
		"ToOctets": fmt.Sprint(uint64(math.MaxUint64)), "DeltaToOctets": "", "FromPDUs": "0",
	} {
		got, ok := flows[0][column]
		if got != want || ok != (want != "") {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if got := flows[1]["DeltaToOctets"]; got != "40" {
		t.Errorf("DeltaToOctets %q", got)
	}
	own := read(t, folder+"/collections"+at)
	if len(own) != 1 || own[0]["Flows"] != "2" || own[0]["Meter"] != "gw 1" {
		t.Errorf("collections %v", own)
	}
}

// TestSchema: files have the columns that rtfm flows schema prints.
func TestSchema(t *testing.T) {
	to, err := New(&export.Target{Scheme: "parquet", Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	d := to.(*folder)
	if got, want := d.flows.schema.String(), schema.Parquet(); got != want {
		t.Errorf("flows have\n%s\nwant\n%s", got, want)
	}
	if got, want := d.collections.schema.String(), schema.ParquetOfCollections(); got != want {
		t.Errorf("collections have\n%s\nwant\n%s", got, want)
	}
}

// TestOtherRules: a trace that is metered again by other rules has files of its own.
func TestOtherRules(t *testing.T) {
	folder := t.TempDir()
	text := fmt.Sprintf(collection, `"m"`)
	if err := send(t, folder, text, strings.ReplaceAll(text, `"RuleSet":"11"`, `"RuleSet":"12"`)); err != nil {
		t.Fatal(err)
	}
	if got := files(t, folder); len(got) != 4 {
		t.Errorf("files %q", got)
	}
}

// TestMeterNames: no name of a meter leads out of the folder, and each has its own.
func TestMeterNames(t *testing.T) {
	names := []string{`".."`, `"../../x"`, `"/etc"`, `"a/b"`, `"a%2Fb"`, `"A=*?[x]"`, `"` + strings.Repeat("long", 100) + `"`, `"` + strings.Repeat("long", 101) + `"`}
	above := t.TempDir()
	folder := filepath.Join(above, "x", "out")
	for _, name := range names {
		if err := send(t, folder, fmt.Sprintf(collection, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := files(t, above)
	for _, f := range all {
		if !strings.HasPrefix(f, "x/out/") || strings.Count(f, "/") != 5 {
			t.Errorf("a file at %s", f)
		}
	}
	if id := new(identity); strings.Contains(id.folder("", "flows"), "meter=/") {
		t.Error("a meter without a name has a folder without one")
	}
	if len(all) != 2*len(names) {
		t.Errorf("%d files of %d meters", len(all), len(names))
	}
}

// TestNotWhole: a collection that is damaged gets no file.
func TestNotWhole(t *testing.T) {
	text := fmt.Sprintf(collection, `"m"`)
	for what, bad := range map[string]string{
		"too large":      strings.Replace(text, `"SourcePeerType":1`, `"SourcePeerType":256`, 1),
		"another column": strings.Replace(text, `"SourcePeerType":1`, `"SourcePeerTipe":1`, 1),
		"a flow fewer":   strings.Replace(text, `"flows":2`, `"flows":3`, 1),
	} {
		folder := t.TempDir()
		if err := send(t, folder, bad); err == nil {
			t.Errorf("%s: no error", what)
		} else {
			t.Logf("%s: %v", what, err)
		}
		if got := files(t, folder); len(got) > 0 {
			t.Errorf("%s: files %q", what, got)
		}
	}
}

// TestReadBack damages a file behind the writer's back: each octet that is changed among
// the values is seen, and so are rows that are missing.
func TestReadBack(t *testing.T) {
	table := newTable("collections", record.OfCollection(), nil)
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := newWriter(f, table)
	for i := range 1000 {
		if err := w.put(fmt.Appendf(nil, `{"Meter":"m%d","Lost":%d,"IntervalEndNs":%d}`, i%7, i, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	if err := w.sums.check(f, table); err != nil {
		t.Fatal(err)
	}
	fewer := slices.Clone(w.sums)
	fewer[0].rows++
	if fewer.check(f, table) == nil {
		t.Error("a row that is missing is not seen")
	}
	other := slices.Clone(w.sums)
	other[len(other)-1].hash++
	if other.check(f, table) == nil {
		t.Error("another value is not seen")
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(info.Size() - 1); err != nil {
		t.Fatal(err)
	}
	if w.sums.check(f, table) == nil {
		t.Error("a file that is cut off is not seen")
	}
}

// TestTemporary: two at a time do not write the same file.
func TestTemporary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.tmp")
	if err := os.WriteFile(path, []byte("left by one that was killed"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := openTemporary(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("it is not empty: %v, %v", info, err)
	}
	if g, err := openTemporary(path); err == nil {
		g.Close()
		t.Error("a second one may write it")
	}
}

// TestGap: what was dropped is a file of its own beside those of collections.
func TestGap(t *testing.T) {
	folder := t.TempDir()
	to, err := New(&export.Target{Scheme: "parquet", Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	g := exporttest.Gap(t, 3, 5)
	for range 2 {
		if err := to.Gap(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	all := files(t, folder)
	if len(all) != 1 || !strings.HasPrefix(all[0], "collections/meter=m/day=1970-01-01/000004.") {
		t.Fatalf("%q", all)
	}
	rows := read(t, filepath.Join(folder, all[0]))
	if len(rows) != 1 || rows[0]["Dropped"] != "3" || rows[0]["DroppedFlows"] != "15" || rows[0]["Flows"] != "0" || rows[0]["RuleSets"] != "dropped,5e5da465f84529e4" {
		t.Errorf("%v", rows)
	}
}

// TestCheck: a folder that can be written to, or made, and others. Nothing is left behind.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		folder: "", filepath.Join(folder, "a", "b"): "", file: "is no folder", filepath.Join(file, "a"): "not a directory", "/proc/none": "/proc",
	} {
		to, err := New(&export.Target{Scheme: "parquet", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Check(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if all := files(t, folder); len(all) != 1 {
		t.Errorf("%q", all)
	}
}
