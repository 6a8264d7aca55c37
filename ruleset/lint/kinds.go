package lint

import (
	"slices"

	"rtfm/ruleset/compile"
)

// Numbers of findings, beside those of the compiler's warnings. They never change.
const (
	NeverHolds     = 20 + iota // a test that no packet passes
	NeverMatches               // an operand that no packet has which comes to it
	OneWay                     // one direction is counted, the other ignored
	WrongFamily                // addresses of one family, compared where only the other comes
	BothFamilies               // a network that holds addresses of the other family
	NoPorts                    // transport addresses of packets that have none
	Overwritten                // a SAVE after which the attribute is always saved again
	NeverCounted               // a SAVE after which nothing is counted
	NeverStored                // a Class or Kind saved that is always 0
	NothingCounted             // a program whose COUNT no packet comes to
	AlwaysHolds                // a test that all packets pass
	WithoutType                // addresses saved without their type
	EachConnection             // flows as fine as connections
)

// isNote reports whether a number is of what may well be meant.
func isNote(number int) bool { return number >= AlwaysHolds }

// Kind is what there is to say of a number.
type Kind struct {
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Note    bool   `json:"note,omitempty"`
	Meaning string `json:"meaning"` // a sentence
	Why     string `json:"why"`     // what comes of it, and what is right
	Example string `json:"example"` // lines of SRL, of which this is said
}

// KindOf returns the Kind of a number.
func KindOf(number int) (Kind, bool) {
	i, ok := slices.BinarySearchFunc(Kinds, number, func(k Kind, n int) int { return k.Number - n })
	if !ok {
		return Kind{}, false
	}
	return Kinds[i], true
}

// Kinds are all, in the order of their numbers.
var Kinds = []Kind{
	{compile.Unreached, "unreached", false, "No packet comes to a statement.",
		"What stands behind COUNT, IGNORE, NOMATCH, EXIT or RETURN in the same sequence is not run, nor is what all\npackets have left before. Delete it, or let packets come to it.",
		"count;\nsave SourcePeerType;"},
	{compile.SavedAgain, "saved-again", false, "An attribute is saved twice in a row.",
		"A flow has one value of each attribute, and the last SAVE gives it. Delete the first.",
		"save SourcePeerAddress;\nsave SourcePeerAddress /24;\ncount;"},
	{compile.Covered, "covered", false, "An operand of a list holds nothing that one in front of it does not.",
		"The first operand that matches is the one that is saved. To have the smaller network saved, put it in front.",
		"if SourcePeerAddress == (10/8, 10.1/16) save, count;"},
	{compile.OutsideMask, "outside-mask", false, "A value has bits that its mask cuts off, so that nothing can be equal to it.",
		"Rules compare the packet's value, under the mask, with the value as it stands. Write the network's own\naddress: 10.0.0.0/24, not 10.0.0.5/24.",
		"if SourcePeerAddress == 10.0.0.5/24 save, count;"},
	{compile.OneAddress, "one-address", false, "An address of fewer octets than it has is one address, no network.",
		"10 is 10.0.0.0 as 10.0 is. The network is 10/8; the one address is better written out.",
		"if SourcePeerAddress == 10 count;"},
	{compile.UnusedDefine, "unused-define", false, "The name of a DEFINE stands nowhere.",
		"Its text may have swallowed what follows a missing semicolon, or a name is misspelt. Otherwise delete it.",
		"define web = (80, 443);\nsave SourceTransType;\ncount;"},
	{compile.Uncalled, "uncalled", false, "No CALL names a subroutine.",
		"It is not run. Delete it, or call it.",
		"save SourcePeerType;\ncount;\nsubroutine unused () ignore; endsub;"},
	{compile.NoReturn, "no-return", false, "A CALL has a label that no RETURN of its subroutine has.",
		"The statement behind the label is never run that way.",
		"call s ()\n   2: ignore;\nendcall;\ncount;\nsubroutine s () return 1; endsub;"},
	{compile.NoCount, "no-count", false, "The program has no COUNT.",
		"SAVE only says what a flow would be; COUNT has the packet counted in it.",
		"save SourcePeerAddress;"},
	{compile.NeverInOrder, "never-in-order", false, "No value is below, or above, what it is compared with.",
		"A port is never less than 0 nor greater than 65535.",
		"if DestTransAddress > 65535 ignore;\ncount;"},
	{compile.AlwaysInOrder, "always-in-order", false, "All values are on that side of what they are compared with.",
		"Every port is 0 or more: what stands behind ELSE is never run.",
		"if DestTransAddress >= 0 count;"},
	{compile.SavedOutside, "saved-outside", false, "A SAVE's value has bits that its mask cuts off.",
		"What is saved is the value under the mask. Write that value.",
		"save SourcePeerAddress = 10.1.2.3/8;\ncount;"},
	{compile.SavedAnyway, "saved-anyway", false, "A SAVE names what every flow has anyway.",
		"Each flow has the number of its ruleset. Delete the SAVE.",
		"set 7;\nsave FlowRuleSet, SourcePeerType;\ncount;"},
	{compile.InsideEntry, "inside-entry", false, "An entry of a table lies inside another one.",
		"The longest mask counts, so that the larger network is what is left of it. If the two should not overlap, the\nfile is wrong.",
		""},
	{compile.DoubleEntry, "double-entry", false, "An entry of a table stands there already.",
		"The first one gives the name. Delete one of the two.",
		""},
	{compile.NoIdentity, "no-identity", false, "No flow has the CommunityID that is saved.",
		"It is made of both addresses, the protocol and both ports, and those of other meters are found by it only if all\nare whole. Save SourcePeerAddress, DestPeerAddress, SourceTransType, SourceTransAddress and DestTransAddress too.",
		"save SourcePeerAddress, DestPeerAddress, CommunityID;\ncount;"},
	{NeverHolds, "never-holds", false, "No packet that comes to a test passes it.",
		"What was tested on the way here excludes it: two values for one attribute joined by &&, or a test of what an\nIF before has taken. || was meant, or another attribute, or another order.",
		"if SourceTransType == tcp && SourceTransType == udp save, count;"},
	{NeverMatches, "never-matches", false, "No packet that comes to a list has this operand.",
		"An earlier statement takes all of them. Put the smaller network first, or delete it here.",
		"if SourceTransType == (udp, icmp) ignore;\nif SourceTransType == (tcp, udp) save, count;"},
	{OneWay, "one-way", false, "Packets of one direction are counted, their answers ignored.",
		"A packet that ends in NOMATCH is tried once more with source and destination changed over, and so comes to the\nflow that it is the other half of (RFC 2722 section 4.3). IGNORE ends that: FromPDUs and FromOctets stay 0. Write\nNOMATCH, or let the IGNORE be of both directions.",
		"if SourcePeerAddress == 192.0.2/24 {\n   save DestPeerAddress;\n   count;\n}\nignore;"},
	{WrongFamily, "wrong-family", false, "An address is compared with networks of the other family.",
		"Where SourcePeerType is ipv4, no address is one of IPv6. What is equal is so by chance: 32.1.13.184 begins as\n2001:db8:: does.",
		"if SourcePeerType == ipv4 && SourcePeerAddress == 2001:db8::/32 save, count;"},
	{BothFamilies, "both-families", false, "A network holds addresses of the other family too.",
		"Addresses are compared by their first octets, whatever their length. 42.0.0.0/16 holds 2a00::/16 of IPv6, which\nhalf of Europe has. Test SourcePeerType first.",
		"if SourcePeerAddress == 42.0/16 save, count;"},
	{NoPorts, "no-ports", false, "A transport address is used of packets that have none.",
		"TCP, UDP, UDP-Lite, SCTP and DCCP have ports, ICMP has its type and code there; for all else the attribute is 0.",
		"if SourceTransType == gre && DestTransAddress == 80 save, count;"},
	{Overwritten, "overwritten", false, "An attribute is saved, and on every way from there once more.",
		"The last SAVE holds. Delete this one, or save what differs in another attribute.",
		"save SourcePeerAddress /24;\nif SourceTransType == tcp save SourcePeerAddress /16;\nelse save SourcePeerAddress /8;\ncount;"},
	{NeverCounted, "never-counted", false, "An attribute is saved, and no way from there leads to COUNT.",
		"What an ignored packet saved is forgotten. Delete the SAVE, or the COUNT is missing.",
		"if SourceTransType == tcp { save DestTransAddress; if DestTransAddress == 80 ignore; nomatch; }\ncount;"},
	{NeverStored, "never-stored", false, "A Class or Kind is saved that is always 0.",
		"Packets have none of their own: STORE and SAVE with = give them values.",
		"save SourceKind;\ncount;"},
	{NothingCounted, "nothing-counted", false, "No packet comes to COUNT.",
		"Tests exclude each other, or IGNORE or NOMATCH takes all packets before.",
		"if SourceTransType == tcp nomatch;\nif SourceTransType != tcp ignore;\ncount;"},
	{AlwaysHolds, "always-holds", true, "All packets that come to a test pass it.",
		"It may be left out. It does no harm if it is there to be read.",
		"if SourceTransType == tcp ignore;\nif SourceTransType != tcp count;"},
	{WithoutType, "without-type", true, "Addresses are saved without their type.",
		"IPv4 and IPv6 meet, and packets that are neither are all in one flow with no address. Save SourcePeerType, or\nignore what is not wanted. This meter tells the addresses apart by their length; others may not.",
		"save SourcePeerAddress;\ncount;"},
	{EachConnection, "each-connection", true, "Each connection has a flow of its own.",
		"Both addresses and both ports make thousands of flows a second on a busy line, and large flow data. If the\nclient's port is not needed, do not save it: see @conversations.",
		"save SourcePeerAddress, DestPeerAddress, SourceTransAddress, DestTransAddress;\ncount;"},
}
