package postgres

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"rtfm/reader/export"
	"rtfm/reader/record"
)

func parse(url string) (*database, error) {
	target, s, err := export.Parse(url, []export.Scheme{{Name: "postgres", Hosts: true, Paths: true, Port: "5432", Options: Options, New: New}})
	if err != nil {
		return nil, err
	}
	e, err := s.New(target)
	if err != nil {
		return nil, err
	}
	return e.(*database), nil
}

// lines returns rows as a table gets them. The table has all columns but those without.
func lines(t *testing.T, without string, rows ...string) (names, text string, err error) {
	t.Helper()
	flows := newTable("flows", record.Columns(), record.Key())
	var there [][][]byte
	for _, c := range flows.columns {
		if c.Name != without {
			there = append(there, [][]byte{[]byte(strings.ToLower(c.Name))})
		}
	}
	flows.found(there)
	all := func(put func(row []byte) error) error {
		for _, r := range rows {
			if err := put([]byte(r)); err != nil {
				return err
			}
		}
		return nil
	}
	s, err := flows.staged(all)
	if err != nil {
		return "", "", err
	}
	in, stop := s.text(all)
	got, _ := io.ReadAll(in)
	return s.names(), string(got), stop()
}

// TestLines: rows have the columns that one of them has, as COPY reads them; what the
// database has types for stands beside.
func TestLines(t *testing.T) {
	const key = `"Meter":"m","FlowIndex":3,"FirstTimeNs":-1,"IntervalEndNs":1795252465227917999`
	names, text, err := lines(t, "", `{`+key+`,"Boot":"0a","SourcePeerAddress":"192.0.2.1","SourcePeerMask":24,"ToOctets":18446744073709551615,"DeltaToOctets":null}`,
		`{`+key+`,"RuleSetName":"a\"\\\t\u0000é","SourcePeerAddress":"","DestPeerAddress":"02-00-00","ToSizeStats":{"n":[1,2],"s":"\\"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Meter, Boot, RuleSet, RuleSetName, IntervalEndNs, FlowIndex, FirstTimeNs, SourcePeerAddress, SourcePeerMask, DestPeerAddress, " +
		"ToSizeStats, ToOctets, DeltaToOctets, SourcePeerIP, DestPeerIP, IntervalEnd"; names != want {
		t.Errorf("columns %s", names)
	}
	const at = "2026-11-21 09:14:25.227917+00\n"
	if want := "m\t0a\t\t\\N\t1795252465227917999\t3\t-1\t192.0.2.1\t24\t\\N\t\\N\t18446744073709551615\t\\N\t192.0.2.1\t\\N\t" + at +
		"m\t\t\ta\"\\\\\\t\uFFFDé\t1795252465227917999\t3\t-1\t\\N\t\\N\t02-00-00\t{\"n\":[1,2],\"s\":\"\\\\\\\\\"}\t\\N\t\\N\t\\N\t\\N\t" + at; text != want {
		t.Errorf("%q\nwant %q", text, want)
	}
	for _, c := range []struct{ without, row, want string }{
		{"ToPDUs", `{` + key + `,"ToPDUs":1}`, "the table flows has no column ToPDUs; rtfm flows schema postgres tells all"},
		{"Boot", `{` + key + `}`, "the table flows has no column Boot; "},
		{"", `{` + key + `,"a;b":1}`, `there is no column "a;b"`},
		{"", `{` + key + `,"IntervalEndNs":1.5}`, "column IntervalEndNs: 1.5: "},
		{"", `{` + key, "this is not a JSON object"},
	} {
		if _, _, err := lines(t, c.without, c.row); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", c.row, err)
		}
	}
	// Tables of older programs may lack what only stands beside.
	if names, _, err := lines(t, "SourcePeerIP", `{`+key+`,"SourcePeerAddress":"192.0.2.1"}`); err != nil || strings.Contains(names, "SourcePeerIP") {
		t.Errorf("%s, %v", names, err)
	}
}

// FuzzText: what COPY makes of a text is the text.
func FuzzText(f *testing.F) {
	f.Add([]byte("a\tb\\N\r\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		coded := string(appendText(nil, text))
		if strings.ContainsAny(coded, "\t\n\r\x00") {
			t.Errorf("%q has a sign that ends a value", coded)
		}
		back := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r").Replace(coded)
		if want := strings.ReplaceAll(string(text), "\x00", "\uFFFD"); back != want {
			t.Errorf("%q became %q", want, back)
		}
	})
}

// TestURLs: what is reached how, whatever the environment says.
func TestURLs(t *testing.T) {
	for name, value := range map[string]string{"PGHOST": "other", "PGPASSWORD": "plugh", "PGSSLMODE": "prefer", "PGOPTIONS": "-c x=y", "PGPASSFILE": os.DevNull} {
		t.Setenv(name, value)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("x'y\\z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"postgres://me@pg/net/flows?password-file=" + file: `me "x'y\\z" net pg:5432 tls pg; flows collections`,
		"postgres://me@pg/a'b/x.flows?tls=off":             `me "" a'b pg:5432; x.flows x.collections`,
		"postgres://me@[::1]:5433/net/flows":               `me "" net ::1:5433; flows collections`,
		"postgres://me@localhost/net/f?tls=verify":         `me "" net localhost:5432 tls localhost; f collections`,
		"postgres://me@127.0.0.1,b:1/net/f?collections=c":  `me "" net 127.0.0.1:5432 tls 127.0.0.1 b:1 tls b; f c`,
		"postgres:net/flows?user=me":                       `me "" net /var/run/postgresql:5432; flows collections`,
		"postgres:net/flows?user=me&socket=/a/.s.PGSQL.7":  `me "" net /a:7; flows collections`,
		"postgres:/flows":                                  "want postgres://HOST/DATABASE/TABLE",
		"postgres:net/a.b.c":                               "want postgres://HOST/DATABASE/TABLE",
		"postgres:net/flows?collections=a%3Bb":             "want postgres://HOST/DATABASE/TABLE",
		"postgres:net/flows?socket=a":                      "socket=a: want the path of a folder",
		"postgres://a/net/flows?socket=/a":                 "socket is for postgres:DATABASE/TABLE",
		"postgres://a:x/net/flows":                         "a:x is no host with a port",
		"postgres://a/net/flows?tls=no":                    "tls=no: want one of verify, off",
		"postgres://a/net/flows?ca=" + file:                "ca: " + file + " has no certificate in PEM",
		"postgres://a/net/flows?password-file=/none":       "password-file: open /none: ",
	} {
		d, err := parse(url)
		if err != nil {
			if !strings.HasPrefix(err.Error(), url+": "+want) {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		got := fmt.Sprintf("%s %q %s", d.config.User, d.config.Password, d.config.Database)
		for _, at := range append([]*pgconn.FallbackConfig{{Host: d.config.Host, Port: d.config.Port, TLSConfig: d.config.TLSConfig}}, d.config.Fallbacks...) {
			got += fmt.Sprintf(" %s:%d", at.Host, at.Port)
			if at.TLSConfig != nil {
				got += " tls " + at.TLSConfig.ServerName
				if at.TLSConfig.InsecureSkipVerify {
					got += " of anyone"
				}
			}
		}
		if got += "; " + d.flows.name + " " + d.collections.name; got != want {
			t.Errorf("%s: %s\nwant %s", url, got, want)
		}
		if len(d.config.RuntimeParams) != 2 {
			t.Errorf("%s: %v", url, d.config.RuntimeParams)
		}
	}
}

// TestMeaning: errors that pass are told from those that need a person.
func TestMeaning(t *testing.T) {
	d := &database{config: &pgconn.Config{Password: "xyzzy"}}
	for code, passes := range map[string]bool{
		"57P01": true, "57P03": true, "53300": true, "53100": true, "40P01": true, "08006": true, "25006": true, "XX000": true, "55P03": true, "58030": true,
		"28P01": false, "3D000": false, "42P01": false, "42703": false, "42501": false, "22003": false, "23502": false, "42P10": false, "25001": false,
	} {
		var refusal *export.Refusal
		err := d.meaning(fmt.Errorf("x: %w", &pgconn.PgError{Code: code, Message: "m", Where: "COPY a,\tline 1\nand so on"}))
		if errors.As(err, &refusal) == passes || code != "42P10" && err.Error() != "m (COPY a, line 1)" {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := d.meaning(errors.New("xyzzy?")); err.Error() != "...?" {
		t.Error(err)
	}
}
