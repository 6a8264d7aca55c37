package compile

import (
	"encoding/binary"

	"rtfm/ruleset"
)

// calls puts subroutines in the place of their Gosubs where that takes no more
// rules: always where all calls go on alike after each return, as those do that
// are one only. The innermost subroutines go first.
func (o *optimiser) calls() {
	order := o.order()
	o.next = int32(len(order))
	callers := map[*node][]*node{} // by the first node of the subroutine
	var subs []*node
	for _, n := range order {
		n.back = n.returns()
		if n.op == ruleset.OpGosub {
			if callers[n.succ] == nil {
				subs = append(subs, n.succ)
			}
			callers[n.succ] = append(callers[n.succ], n)
		}
	}
	for _, first := range subs {
		if o.walked < o.maxNodes {
			o.inline(first.final(), callers[first])
		}
	}
}

// returns reports whether a Return of n's subroutine is reached from it, by what
// its edges say.
func (n *node) returns() bool {
	for i := 0; n.edge(i) != nil; i++ {
		if to := *n.edge(i); to != nil && to.back && !(n.op == ruleset.OpGosub && i == 0) {
			return true
		}
	}
	return n.op == ruleset.OpReturn
}

// inline puts the subroutine that begins with a node in the place of its Gosubs,
// if that takes fewer rules.
func (o *optimiser) inline(first *node, gosubs []*node) {
	var ways [][]*node        // what follows the returns
	known := map[string]int{} // ways by the numbers of their nodes
	way := make([]int, len(gosubs))
	calling := 0 // rules
	var key []byte
	for i, n := range gosubs {
		calling += 1 + len(n.pads)
		key = key[:0]
		for k := range n.pads {
			n.pads[k] = n.pads[k].final()
			key = binary.NativeEndian.AppendUint32(key, uint32(n.pads[k].id))
		}
		w, ok := known[string(key)]
		if !ok {
			w = len(ways)
			known[string(key)] = w
			ways = append(ways, n.pads)
		}
		way[i] = w
	}
	var body []*node
	if first.back {
		o.round++
		body = o.from(first, nil, func(n *node) int {
			switch {
			case !n.back:
				return leaveOut
			case n.op == ruleset.OpGosub:
				return 2 // what it calls returns to it
			}
			return 0
		})
	}
	o.walked += len(body)
	if (len(ways)-1)*costs(body) >= calling && len(ways) > 1 {
		return
	}
	for w := range ways {
		to := o.copied(first, body, ways[w])
		for i, n := range gosubs {
			if way[i] == w {
				o.replace(n, to)
			}
		}
	}
}

// costs returns how many rules another copy of a subroutine's body takes.
func costs(body []*node) (rules int) {
	for _, n := range body {
		switch {
		case n.op == ruleset.OpGosub:
			rules += 1 + len(n.pads)
		case n.test:
			rules += n.rules()
			if !n.fail.back || !n.fail.test {
				rules++ // the jump there
			}
		case n.op != ruleset.OpReturn:
			rules++
		}
	}
	return rules
}

// copied copies the body of a subroutine, in which after each return follows a
// node of way, and returns its first one. What never returns is not copied.
func (o *optimiser) copied(first *node, body, way []*node) *node {
	if !first.back {
		return first
	}
	copies := make(map[*node]*node, len(body))
	for _, n := range body {
		if n.op == ruleset.OpReturn && !n.test {
			copies[n] = way[n.ret-1]
			continue
		}
		c := new(node)
		*c = *n
		c.pads = append([]*node(nil), n.pads...)
		c.id = o.next
		o.next++
		if n.op == ruleset.OpReturn {
			c.op, c.ret, c.succ = ruleset.OpGoto, 0, way[n.ret-1]
		}
		for i := 0; c.edge(i) != nil; i++ {
			if n.op == ruleset.OpGosub && i == 0 || n.op == ruleset.OpReturn && i == 0 {
				continue
			}
			if to := copies[*c.edge(i)]; to != nil {
				*c.edge(i) = to
			}
		}
		c.back = c.returns()
		copies[n] = c
	}
	return copies[first]
}
