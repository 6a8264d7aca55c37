package lint

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// sensible writes programs as people write them who know what they do, each of parts that
// are right together.
type sensible struct {
	*rand.Rand
	b        strings.Builder
	networks int
}

func (w *sensible) put(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }
func (w *sensible) pick(from ...string) string     { return from[w.IntN(len(from))] }

// nets returns a list of networks that do not overlap with each other, nor with those of
// other lists.
func (w *sensible) nets() string {
	var all []string
	for range 1 + w.IntN(4) {
		w.networks++
		switch n := w.networks; w.IntN(4) {
		case 0:
			all = append(all, fmt.Sprintf("10.%d/16", n))
		case 1:
			all = append(all, fmt.Sprintf("172.16.%d.0/24", n))
		case 2:
			all = append(all, fmt.Sprintf("192.0.2.%d", n))
		case 3:
			all = append(all, fmt.Sprintf("2001:db8:%x::/48", n))
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// ports returns lists of ports, none of them in two.
func (w *sensible) ports(lists int) []string {
	names := []string{"http", "https", "ssh", "smtp", "dns", "ntp", "imap", "8080", "3128", "5000..5010", "9000/15", "6881"}
	w.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var all []string
	for range lists {
		n := 1 + w.IntN(3)
		all = append(all, "("+strings.Join(names[:n], ", ")+")")
		names = names[n:]
	}
	return all
}

// ends saves both addresses.
func (w *sensible) ends() {
	switch w.IntN(3) {
	case 0:
		w.put("save SourcePeerAddress, DestPeerAddress;\n")
	case 1:
		w.put("if SourcePeerType == ipv4 { save SourcePeerAddress /24; save DestPeerAddress /24; }\n")
		w.put("else { save SourcePeerAddress /48; save DestPeerAddress /48; }\n")
	case 2:
		w.put("save DestPeerAddress;\n")
	}
}

// program returns one.
func (w *sensible) program() string {
	w.put("# %d\n", w.Uint32())
	if w.IntN(2) == 0 {
		w.put("save SourcePeerType;\n")
	} else {
		w.put("if SourcePeerType == (ipv4, ipv6) save;\nelse ignore;\n")
	}
	if w.IntN(2) == 0 { // what is not wanted in either direction
		w.put("if SourceTransType == %s ignore;\n", w.pick("esp", "(gre, ipip)", "ospf"))
	}
	for range w.IntN(3) {
		switch w.IntN(2) {
		case 0:
			n := w.nets()
			w.put("if SourcePeerAddress == %s ignore;\nif DestPeerAddress == %[1]s ignore;\n", n)
		case 1:
			w.put("if Host == %s ignore;\n", w.nets())
		}
	}
	w.body()
	return w.b.String()
}

func (w *sensible) body() {
	switch w.IntN(6) {
	case 0: // all flows
		w.ends()
		w.put("save SourceTransType;\nif SourceTransType == (tcp, udp) save %sTransAddress;\ncount;\n", w.pick("Dest", "Source"))
	case 1: // our networks
		w.put("define ours = %s;\n", w.nets())
		w.put("if SourcePeerAddress == ours save, { save %s; count; }\n", w.pick("DestPeerAddress", "SourceTransType", "DSCodePoint"))
		w.put("if DestPeerAddress == ours nomatch;\nignore;\n")
	case 2: // services
		w.put("define services = %s;\n", w.ports(1)[0])
		w.put("if SourceTransType == (tcp, udp) save, {\n   if SourceTransAddress == services nomatch;\n   if DestTransAddress == services save;\n}\n")
		w.put("count;\n")
	case 3: // kinds of services
		lists := w.ports(3)
		w.put("if SourceTransType == tcp save, {\n")
		for _, l := range lists {
			w.put("   if SourceTransAddress == %s nomatch;\n", l)
		}
		for i, l := range lists {
			w.put("   %sif DestTransAddress == %s store FlowKind := %d;\n", map[bool]string{true: "else "}[i > 0], l, i+1)
		}
		w.put("   else store FlowKind := '?';\n   if FlowKind == (1, 2) save DestPeerAddress;\n}\ncount;\n")
	case 4: // groups of networks, by a subroutine
		w.put("call group (SourcePeerAddress, SourceKind)\n   9: nomatch;\nendcall;\ncall group (DestPeerAddress, DestKind) endcall;\ncount;\n")
		w.put("subroutine group (address a, variable kind)\n")
		for i := range 1 + w.IntN(4) {
			w.put("   if a == %s { store kind := %d; return %[2]d; }\n", w.nets(), i+1)
		}
		w.put("   store kind := 99;\n   return 9;\nendsub;\n")
	case 5: // larger networks behind the smaller ones that they hold
		w.put("if SourcePeerAddress == 10.77.7.0/24 store SourceKind := 1;\n")
		w.put("else if SourcePeerAddress == 10.77/16 store SourceKind := 2;\n")
		w.put("else if SourcePeerAddress == (198.18/15, 10/7) store SourceKind := 3;\nelse nomatch;\n")
		w.ends()
		w.put("save SourceKind;\ncount;\n")
	}
}

// TestSensible has nothing said of a thousand programs that are right.
func TestSensible(t *testing.T) {
	for seed := range uint64(1000) {
		w := &sensible{Rand: rand.New(rand.NewPCG(seed, 15))}
		text := w.program()
		if all := said(t, "x.srl", text, false); all != "" {
			t.Fatalf("seed %d: %s\n%s", seed, all, text)
		}
	}
}
