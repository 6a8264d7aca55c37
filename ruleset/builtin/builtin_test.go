package builtin_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/builtin"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// additions are the programs that need what RFC 2723 does not have.
var additions = []string{
	"@conversations", "@hosts", "@talkers", "@networks", "@services", "@ports", "@dscp", "@vlans", "@icmp", "@sizes", "@dns", "@pings",
	"@handshakes",
}

func TestPrograms(t *testing.T) {
	programs := builtin.Programs()
	if files, err := os.ReadDir("programs"); err != nil || len(files) != len(programs) {
		t.Errorf("%d programs have names, there are %d files (%v)", len(programs), len(files), err)
	}
	services := ""
	for _, p := range programs {
		rs, warnings, err := compile.Load(p.Name, nil, srl.Options{})
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %v", p.Name, err, warnings)
		}
		if rs.Name != p.Name {
			t.Errorf("%s is called %s", p.Name, rs.Name)
		}
		if _, _, err := compile.Source(p.Name, []byte(p.Text), srl.Options{Strict: true}); (err != nil) != slices.Contains(additions, p.Name) {
			t.Errorf("%s in the language of the RFC: %v", p.Name, err)
		}
		if !strings.HasPrefix(p.Text, "# "+p.Title+"\n") || len(p.Title) < 10 || len(p.Title) > 80-16 {
			t.Errorf("%s begins with the title %q", p.Name, p.Title)
		}
		// Who is the server is told by one list.
		if _, list, has := strings.Cut(p.Text, "define services = "); has {
			if list, _, _ = strings.Cut(list, ";"); services == "" {
				services = list
			} else if list != services {
				t.Errorf("%s has other services than the one before", p.Name)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"@flows": "", "flows": "", builtin.Default: "",
		"@service": "did you mean @services?", "talker": "there is no built-in program talker; did you mean @talkers?",
		"@nothing-of-that-kind": "there are @conversations, @flows, ",
	} {
		p, err := builtin.Find(name)
		if want == "" && (err != nil || p.Name != "@"+strings.TrimPrefix(name, "@")) {
			t.Errorf("%s: %s, %v", name, p.Name, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
