package attr

import "testing"

// TestWords: words find what they are for, and take no attribute's own name
// away.
func TestWords(t *testing.T) {
	for _, tt := range []struct {
		word string
		want []Attr
	}{
		{"SrcPort", []Attr{SourceTransAddress}}, {"dst_port", []Attr{DestTransAddress}}, {"Destination  port", []Attr{DestTransAddress}},
		{"HOST", []Attr{SourcePeerAddress, DestPeerAddress}}, {"dst net", []Attr{DestPeerAddress}}, {"mac", []Attr{SourceAdjacentAddress, DestAdjacentAddress}},
		{"ASN", []Attr{SourceASN, DestASN}}, {"proto", []Attr{SourceTransType}}, {"vlan", []Attr{VLANid}}, {"", nil}, {"count", nil},
	} {
		got := ByWord(tt.word)
		if len(got) != len(tt.want) {
			t.Errorf("%q finds %v, want %v", tt.word, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%q finds %v, want %v", tt.word, got, tt.want)
			}
		}
	}
	for _, w := range Words() {
		if ByWord(w) == nil {
			t.Errorf("%s is told and finds nothing", w)
		}
	}
	for _, in := range All() {
		if of := ByWord(in.Name); of != nil && (len(of) != 1 || of[0] != in.Attr) {
			t.Errorf("%s is %v as a word", in.Name, of)
		}
	}
}
