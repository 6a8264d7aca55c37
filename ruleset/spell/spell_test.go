package spell

import "testing"

func TestNearest(t *testing.T) {
	among := []string{"telnet", "tcp", "ftp", "SourcePeerType", "SourcePeerAddress", "www"}
	for name, want := range map[string]string{
		"telent":           "telnet", // a swap
		"SORCEPEERTYP":     "SourcePeerType",
		"tcpp":             "tcp",
		"sourcepeeradress": "SourcePeerAddress",
		"fpt":              "ftp",
		"wxyz":             "",
		"":                 "",
		"destination":      "",
	} {
		if got, ok := Nearest(name, among); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, got, ok, want)
		}
	}
}

// TestUnknownOf tells the nearest name, or all.
func TestUnknownOf(t *testing.T) {
	known := []string{"vxlan", "geneve"}
	for name, want := range map[string]string{
		"vxlna": `no kind "vxlna"; did you mean vxlan?`,
		"foo":   `no kind "foo": there are vxlan, geneve`,
	} {
		if got := UnknownOf("kind", name, known); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
