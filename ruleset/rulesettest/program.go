package rulesettest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// writer makes up programs whose tests succeed about as often as they fail.
type writer struct {
	*rand.Rand
	b      strings.Builder
	subs   int      // subroutines there are
	sub    int      // number of the one being written, -1 for the main program
	labels []string // of the statements around this one
	label  int
	depth  int
	added  bool // with what SRL has beyond the RFC
}

// Subroutine number i has i%3 ADDRESS and (i+1)%2 VARIABLE parameters.
func addresses(i int) int { return i % 3 }
func variables(i int) int { return (i + 1) % 2 }

func (w *writer) put(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

func (w *writer) pick(from ...string) string { return from[w.IntN(len(from))] }

// Program returns a random SRL program, in the words of RFC 2723 alone, with
// tests that succeed about as often as they fail for packets of Key.
func Program(r *rand.Rand) string { return program(r, false) }

// Extended returns a random program as Program does, in all the words that SRL
// has.
func Extended(r *rand.Rand) string { return program(r, true) }

func program(r *rand.Rand, added bool) string {
	w := &writer{Rand: r, subs: r.IntN(4), sub: -1, added: added}
	w.put("define two = (17, icmp);\n")
	for n := 2 + w.IntN(6); n > 0; n-- {
		w.stmt()
	}
	if w.IntN(4) > 0 {
		w.put("count;\n")
	}
	for i := range w.subs {
		w.sub = i
		w.put("subroutine sub%d (", i)
		var params []string
		for k := range addresses(i) {
			params = append(params, fmt.Sprintf("address a%d", k))
		}
		for k := range variables(i) {
			params = append(params, fmt.Sprintf("variable x%d", k))
		}
		w.put("%s)\n", strings.Join(params, ", "))
		for n := 1 + w.IntN(4); n > 0; n-- {
			w.stmt()
		}
		w.put("endsub;\n")
	}
	return w.b.String()
}

// variable writes the name of a variable or VARIABLE parameter.
func (w *writer) variable() string {
	if w.sub >= 0 && variables(w.sub) > 0 && w.IntN(2) == 0 {
		return "x0"
	}
	return w.pick("FlowKind", "SourceClass")
}

// address writes the name of an ADDRESS parameter or of a peer address: all
// parameters are peer addresses.
func (w *writer) address() string {
	if w.sub >= 0 && addresses(w.sub) > 0 && w.IntN(2) == 0 {
		return fmt.Sprintf("a%d", w.IntN(addresses(w.sub)))
	}
	return w.pick("SourcePeerAddress", "DestPeerAddress")
}

func (w *writer) stmt() {
	w.depth++
	defer func() { w.depth-- }()
	kind := w.IntN(20)
	if w.depth > 4 {
		kind = 12 + w.IntN(8)
	}
	switch kind {
	case 0, 1, 2, 3, 4, 5:
		w.ifStmt()
	case 6, 7:
		w.label++
		label := fmt.Sprintf("l%d", w.label)
		labelled := w.IntN(3) > 0
		if labelled {
			w.put("%s: ", label)
			w.labels = append(w.labels, label)
		}
		w.put("{\n")
		for n := 1 + w.IntN(3); n > 0; n-- {
			w.stmt()
		}
		w.put("}\n")
		if labelled {
			w.labels = w.labels[:len(w.labels)-1]
		}
	case 8, 9, 10, 11:
		w.call()
	case 12, 13:
		w.put("save %s%s;\n", w.address(), w.pick("", "/16", "/31", " & 255.0.255", " = 10.1/16", " = 2001:db8::"))
	case 14:
		w.put("save %s%s;\n", w.variable(), w.pick("", " & 6", " = 3", " = 2 & 3", " = 3 & 1"))
	case 15:
		w.put("store %s := %s;\n", w.variable(), w.pick("0", "1", "2", "3", "'A'"))
	case 16:
		if w.added && w.IntN(2) == 0 {
			w.put("save %s, /* and; */ DestTransType, %s & 6, src port;\n", w.address(), w.variable())
			return
		}
		w.put("save SourceTransAddress%s;\n", w.pick("", "/8", " = 5", " & FF-FE"))
	case 17:
		if len(w.labels) > 0 {
			w.put("exit %s;\n", w.labels[w.IntN(len(w.labels))])
		} else {
			w.put(";\n")
		}
	case 18:
		if w.sub >= 0 {
			w.put("return%s;\n", w.pick("", " 0", " 1", " 2", " 70", " 2147483647"))
		} else {
			w.put("save SourceTransType;\n")
		}
	case 19:
		w.put("%s;\n", w.pick("count", "count", "ignore", "nomatch"))
	}
}

func (w *writer) ifStmt() {
	// save and MatchingStoD do not go together.
	save := w.IntN(2) == 0
	w.put("if ")
	w.expr(save)
	switch {
	case save && w.IntN(3) == 0:
		w.put(" save;\n")
	case save:
		w.put(" save,\n")
		w.stmt()
	default:
		w.put("\n")
		w.stmt()
	}
	if w.IntN(2) == 0 {
		w.put("else ")
		w.stmt()
	}
}

func (w *writer) expr(save bool) {
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > 5 || w.IntN(2) == 0 {
		w.test(save)
		return
	}
	op := w.pick(" && ", " || ")
	if w.added && w.IntN(3) == 0 {
		op = w.pick(" and ", " or ")
	}
	for i := range 2 + w.IntN(2) {
		if i > 0 {
			w.put("%s", op)
		}
		if w.added && w.IntN(3) == 0 {
			w.put("%s", w.pick("!", "not ", "! !"))
		}
		if w.IntN(2) == 0 {
			w.put("(")
			w.expr(save)
			w.put(")")
		} else {
			w.test(save)
		}
	}
}

func (w *writer) test(save bool) {
	if w.added && w.IntN(2) == 0 {
		w.addedTest(save)
		return
	}
	switch w.IntN(7) {
	case 0:
		w.put("SourcePeerType == %s", w.pick("1", "ipv6", "(1, 2)"))
	case 1:
		w.put("DestTransType == %s", w.pick("tcp", "two", "(two, 7)", "4 & 5", "6 & 250"))
	case 2:
		w.list(w.pick("SourceTransAddress", "DestTransAddress"), "1", "2", "3", "0.2", "2/15", "0/14", "1 & 0.1", "0 & 0.2", "www")
	case 3, 4:
		w.list(w.address(), "10/8", "10.1/16", "10.1.0/15", "10.0.0.1", "10.1.0.0/31", "0.1 & 0.1",
			"10.0.1 & 255.0.255", "2001:db8::/32", "2001:db8::1", "10.3.0.1", "0/0")
	case 5:
		w.list(w.variable(), "0", "1", "2", "3", "2 & 6", "1 & 1", "'A'")
	case 6:
		if save {
			w.put("SourceTransType == (6, 17)")
		} else {
			w.put("MatchingStoD == %s", w.pick("0", "1", "2", "(2, 1)"))
		}
	}
}

// addedTest writes a test that RFC 2723 does not have.
func (w *writer) addedTest(save bool) {
	order := w.pick("<", "<=", ">", ">=")
	port := w.pick("SourceTransAddress", "DestTransAddress", "Port", "src port")
	ports := []string{"0..2", "1 .. 3", "2..2", "0 ..65535", "3..1000", "1..www", "2", "1/15"}
	peers := []string{"10.0.0.1..10.0.1.1", "10.1.0.0 .. 10.255.255.255", "0.0.0.0..10.1.0.2", "0.0.0.0..255.255.255.255",
		"2001:db8:: .. 2001:db8::1", "::..2001:db8::", "10.1/16", "10.0.0.1"}
	peer := w.address()
	if w.IntN(3) == 0 {
		peer = w.pick("Host", "dst")
	}
	switch w.IntN(8) {
	case 0:
		w.put("SourceTransType != %s", w.pick("6", "(1, 17)", "1..6", "0/0"))
	case 1:
		w.put("%s %s %s", port, order, w.pick("0", "1", "2", "3", "65535", "www"))
	case 2:
		w.put("%s %s %s", w.variable(), order, w.pick("0", "1", "2", "'A'"))
	case 3:
		w.list(port, ports...)
	case 4:
		w.listed(port, "!=", ports...)
	case 5:
		w.list(peer, peers...)
	case 6:
		w.listed(peer, "!=", peers...)
	case 7:
		if save {
			w.put("DestTransType %s 6", order)
		} else {
			w.put("MatchingStoD != %s", w.pick("0", "1", "(2, 1)"))
		}
	}
}

func (w *writer) list(attr string, from ...string) { w.listed(attr, "==", from...) }

// listed compares an attribute with one or some of these operands.
func (w *writer) listed(attr, op string, from ...string) {
	n := 1 + w.IntN(4)
	if n == 1 {
		w.put("%s %s %s", attr, op, w.pick(from...))
		return
	}
	w.put("%s %s (", attr, op)
	for i := range n {
		if i > 0 {
			w.put(", ")
		}
		w.put("%s", w.pick(from...))
	}
	w.put(")")
}

// call calls a subroutine with a higher number.
func (w *writer) call() {
	from := w.sub + 1
	if from >= w.subs {
		w.put("save DestPeerAddress/%d;\n", w.IntN(33))
		return
	}
	i := from + w.IntN(w.subs-from)
	var args []string
	for range addresses(i) {
		args = append(args, w.address())
	}
	for range variables(i) {
		args = append(args, w.variable())
	}
	if len(args) == 0 && w.IntN(2) == 0 {
		w.put("sub%d;\n", i)
		return
	}
	w.put("call sub%d (%s)\n", i, strings.Join(args, ", "))
	for _, n := range []int{0, 1, 2, 1<<31 - 1} {
		if w.IntN(2) == 0 {
			w.put("%d: ", n)
			w.stmt()
		}
	}
	w.put("endcall;\n")
}
