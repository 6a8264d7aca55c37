package export

import (
	"slices"
	"strings"
	"testing"
)

var testSchemes = []Scheme{
	{Name: "file", Options: []string{"rows"}},
	{Name: "db", Hosts: true, Port: "8123", Options: []string{"user", "password-file", "compression"}},
	{Name: "bus", Hosts: true, Missing: true},
}

// TestParse: URLs and what is wrong with them.
func TestParse(t *testing.T) {
	got, s, err := Parse("db://me@a,[2001:db8::1],b:99/flows/flows?user=x%26y&compression=", testSchemes)
	if err != nil || s.Name != "db" || got.User != "me" || got.Path != "flows/flows" || got.Options["user"] != "x&y" || !got.Has("compression") ||
		!slices.Equal(got.Hosts, []string{"a:8123", "[2001:db8::1]:8123", "b:99"}) {
		t.Errorf("%+v %v", got, err)
	}
	if got, _, err := Parse("file:/a:b/c@d?rows=1", testSchemes); err != nil || got.Path != "/a:b/c@d" {
		t.Errorf("%+v %v", got, err)
	}
	if got, _, err := Parse("db://a:1/b?password-file=/x@y", testSchemes); err != nil || got.Options["password-file"] != "/x@y" {
		t.Errorf("%+v %v", got, err)
	}
	for url, want := range map[string]string{
		"":                           ": want SCHEME:..., where SCHEME is one of file, db",
		"/tmp/x":                     "/tmp/x: want SCHEME:..., where SCHEME is one of file, db",
		"bd://a":                     "bd://a: there is no bd; did you mean db? (known are file, db)",
		"bus://a":                    "bus://a: this rtfm was built without bus (-tags small)",
		"db:a":                       "db:a: want db://HOST...",
		"db:///x":                    "db:///x: want a host behind //, or between commas",
		"db://a,,b/x":                "db://a,,b/x: want a host behind //, or between commas",
		"db://a/x?compresion=zstd":   "db://a/x?compresion=...: compresion: no such option; did you mean compression? (db has user, password-file, compression)",
		"file:a?rows=1&rows=2":       "file:a?rows=...&rows=...: rows is given twice",
		"db://a/x?user=%zz":          `db://a/x?user=...: user: invalid URL escape "%zz"`,
		"db://me:secret@a/x":         "db://me:...@a/x: " + noPassword,
		"db://me:se/secret@a/x":      "db://me:...@a/x: " + noPassword,
		"db://me:se@secret@a/x":      "db://me:...@a/x: " + noPassword,
		"db://me:secret?x@a/x":       "db://me:...@a/x: " + noPassword,
		"db://a/x?password=secret":   "db://a/x?password=...: " + noPassword,
		"db://a/x?user=u&pw=secret":  "db://a/x?user=...&pw=...: pw: no such option (db has user, password-file, compression)",
		"bd://me:secret@a/x?b=1":     "bd://me:...@a/x?b=...: there is no bd; did you mean db? (known are file, db)",
		"db://me:secret@a/x?foo=bar": "db://me:...@a/x?foo=...: " + noPassword,
	} {
		if _, _, err := Parse(url, testSchemes); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", url, err, want)
		}
	}
}

// FuzzParse: whatever a URL is, one that is taken has no password before its host, and
// one that is not taken does not show it.
func FuzzParse(f *testing.F) {
	for _, url := range []string{"db://a/b", "db://u@a,b:1/x?user=1", "file:x?rows=2", "db://a?b?c&d"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if target, _, err := Parse(text, testSchemes); err == nil {
			if target.OutletName() == "" || strings.Contains(target.User, ":") {
				t.Errorf("%q: %+v", text, target)
			}
		}
		if _, _, err := Parse("db://me:SECRET@"+text, testSchemes); err == nil || strings.Contains(err.Error(), "SECRET") && !strings.Contains(text, "SECRET") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
