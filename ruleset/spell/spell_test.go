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
