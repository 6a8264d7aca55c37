package acceptance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// featuresParquet compares each value of a Parquet file of features, as DuckDB reads it, with
// that in an NPY file of the same run.
func featuresParquet(t *testing.T, db *duckDB) {
	dir := t.TempDir()
	packets, npy, parquet := filepath.Join(dir, "x.ipfix"), filepath.Join(dir, "x.npy"), filepath.Join(dir, "x.parquet")
	succeed(t, "run", "-q", "-r", "@flows", "-F", os.DevNull, "--feed", "file:"+packets, "traces/testdata/sample.pcap")
	succeed(t, "feed", "-q", "--features-first", "12", "--features", npy, "--features", parquet, packets)
	b, err := os.ReadFile(npy)
	if err != nil {
		t.Fatal(err)
	}
	n := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	fields := regexp.MustCompile(`\('(\w+)', '[<|](\w)(\d+)'(?:, \((\d+),\))?\)`).FindAllStringSubmatch(string(b[10:n]), -1)
	var terms []string
	for _, f := range fields {
		terms = append(terms, "coalesce("+f[1]+"::varchar,'')")
	}
	rows := db.ask("select %s from '%s'", strings.Join(terms, ","), parquet)
	rest, listed := b[n:], 0
	for i, row := range rows {
		for column, f := range fields {
			size, _ := strconv.Atoi(f[3])
			times, err := strconv.Atoi(f[4])
			if err != nil {
				times = 1
			}
			var values []string
			for at := range times {
				values = append(values, valueNPY(f[2], rest[at*size:(at+1)*size]))
			}
			rest = rest[times*size:]
			if f[1] == "Listed" {
				listed, _ = strconv.Atoi(values[0])
			}
			if strings.HasPrefix(f[1], "First") {
				values = values[:listed]
			}
			want := strings.Join(values, ", ")
			if times > 1 {
				want = "[" + want + "]"
			}
			got := fmt.Sprint(row[column])
			if v, err := strconv.ParseFloat(got, 64); f[2] == "f" && err == nil {
				got = fmt.Sprint(v)
			}
			if got != want {
				t.Fatalf("row %d: %s is %q, NumPy has %q", i, f[1], got, want)
			}
		}
	}
	if len(rest) > 0 || len(rows) == 0 {
		t.Errorf("%d rows, and NumPy has %d octets more", len(rows), len(rest))
	}
	var out, errs bytes.Buffer
	if status := runMain([]string{"feed", "--features", parquet, packets}, nil, &out, &errs); status != 1 || !strings.Contains(errs.String(), "nothing can be appended to a Parquet file") {
		t.Errorf("status %d: %s", status, errs.String())
	}
}

// valueNPY returns a number or text of an NPY file, nothing for what is not defined.
func valueNPY(kind string, b []byte) string {
	if kind == "S" {
		return string(bytes.TrimRight(b, "\x00"))
	}
	var all [8]byte
	copy(all[:], b)
	n := binary.LittleEndian.Uint64(all[:])
	switch {
	case kind == "f" && math.IsNaN(math.Float64frombits(n)):
		return ""
	case kind == "f":
		return fmt.Sprint(math.Float64frombits(n))
	case kind == "i":
		shift := 64 - 8*len(b)
		return fmt.Sprint(int64(n<<shift) >> shift)
	}
	return fmt.Sprint(n)
}
