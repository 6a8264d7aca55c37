package attr

import "strings"

// Words are what people call attributes besides their names. The name of what
// both ends of a flow have, without Source or Dest in front, is either end.

// ends are those names; the others have Src, Source, Dst, Dest or Destination
// in front.
var ends = []struct {
	word   string
	source Attr
}{
	{"Host", SourcePeerAddress}, {"Net", SourcePeerAddress}, {"Addr", SourcePeerAddress}, {"Address", SourcePeerAddress},
	{"PeerAddress", SourcePeerAddress},
	{"Port", SourceTransAddress}, {"TransAddress", SourceTransAddress},
	{"MAC", SourceAdjacentAddress}, {"AdjacentAddress", SourceAdjacentAddress},
	{"Interface", SourceInterface}, {"ASN", SourceASN},
}

// both are words for what is the same at both ends, or has no ends.
var both = []struct {
	word string
	attr Attr
}{
	{"Src", SourcePeerAddress}, {"Source", SourcePeerAddress}, {"SrcIP", SourcePeerAddress}, {"SourceIP", SourcePeerAddress},
	{"Dst", DestPeerAddress}, {"Dest", DestPeerAddress}, {"Destination", DestPeerAddress}, {"DstIP", DestPeerAddress}, {"DestIP", DestPeerAddress},
	{"SPort", SourceTransAddress}, {"DPort", DestTransAddress},
	{"Protocol", SourceTransType}, {"Proto", SourceTransType}, {"TransType", SourceTransType},
	{"Family", SourcePeerType}, {"PeerType", SourcePeerType},
	{"VLAN", VLANid}, {"DSCP", DSCodePoint}, {"TTL", HopLimit},
}

// words holds them without case, underscores and blanks.
var words = func() map[string][]Attr {
	all := map[string][]Attr{}
	for _, e := range ends {
		word := strings.ToLower(e.word)
		dest := e.source.Reverse()
		all[word] = []Attr{e.source, dest}
		for _, front := range [...]string{"src", "source"} {
			all[front+word] = []Attr{e.source}
		}
		for _, front := range [...]string{"dst", "dest", "destination"} {
			all[front+word] = []Attr{dest}
		}
	}
	for _, b := range both {
		all[strings.ToLower(b.word)] = []Attr{b.attr}
	}
	return all
}()

// ByWord finds what people call attributes: SrcPort, dst_port, "dst port" or
// Protocol for one, and Host or Port for Source and Dest, in this order. It is
// empty for an attribute's own name, unless that is such a word too. The
// caller does not change it.
func ByWord(word string) []Attr {
	return words[joined.Replace(strings.ToLower(word))]
}

// joined takes out what may separate the parts of a word.
var joined = strings.NewReplacer("_", "", " ", "")

// Words returns the words that ByWord knows, in the order in which they are told.
// Of those with Src or Dst in front it has only the first form.
func Words() (list []string) {
	for _, e := range ends {
		list = append(list, e.word, "Src"+e.word, "Dst"+e.word)
	}
	for _, b := range both {
		list = append(list, b.word)
	}
	return list
}
