package srl

// stmt lays out a statement, and anything else there is where one should begin. It
// goes over one token at least.
func (f *formatter) stmt(depth int, br break_) {
	if f.nesting > maxNesting { // which what DEFINEs hide may undo
		f.first(br, depth)
		return
	}
	f.nesting++
	defer func() { f.nesting-- }()
	switch t := f.cur(); t.key {
	case kwDefine:
		f.define(depth)
		return
	case kwIf:
		f.ifStmt(depth, br)
		return
	case kwCall:
		f.call(depth, br)
		return
	case kwSubroutine:
		f.subroutine(depth)
		return
	case kwElse, kwEndcall, kwEndsub: // of what a DEFINE began
		f.first(br, depth)
		return
	case none:
		switch {
		case t.kind == '{':
			f.compound(depth, br)
			return
		case t.kind == kName && f.ahead().kind == ':':
			f.first(br, depth)
			f.next(joined)
			if f.cur().kind == '{' {
				f.compound(depth, joined)
			}
			return
		case t.kind == ';' || t.kind == '}':
			f.first(br, depth)
			return
		}
	}
	f.simple(depth, br)
}

// simple lays out a statement up to its semicolon.
func (f *formatter) simple(depth int, br break_) {
	f.words = 0
	isFormat := f.cur().kind == kName && f.ahead().kind != ';' && f.text(&f.items[f.at]) == "format"
	f.first(br, depth)
	for {
		switch t := f.cur(); {
		case t.kind == kEOF, f.starts(), f.closes():
			return
		case t.kind == ';':
			f.next(joined)
			return
		case isFormat:
			f.next(kept)
		default:
			f.next(f.mayBreak())
		}
	}
}

// starts reports whether the current token begins a statement with certainty.
func (f *formatter) starts() bool {
	switch f.cur().key {
	case none, kwAddress, kwVariable, kwElse, kwEndcall, kwEndsub:
		return f.cur().kind == '{'
	}
	return true
}

// closes reports whether the current token ends a sequence of statements.
func (f *formatter) closes() bool {
	switch f.cur().key {
	case kwElse, kwEndcall, kwEndsub:
		return true
	}
	return f.cur().kind == '}' || f.cur().kind == kEOF
}

// compound lays out a { and its statements; br is of the {.
func (f *formatter) compound(depth int, br break_) {
	if br == joined {
		f.put(joined, depth, 0)
	} else {
		f.first(br, depth)
	}
	f.lines.open()
	for f.cur().kind != '}' {
		switch f.cur().key {
		case kwEndcall, kwEndsub:
			return
		}
		if f.cur().kind == kEOF {
			return
		}
		f.stmt(depth+1, begun)
	}
	f.lines.close()
	f.depth, f.words, f.parens = depth, 0, 0
	f.put(begun, depth, 1)
}

// body lays out the statement of an IF, ELSE or return label.
func (f *formatter) body(depth int, br break_) {
	switch t := f.cur(); {
	case f.closes():
	case t.kind == '{':
		f.compound(depth, joined)
	case t.kind == kName && f.ahead().kind == ':':
		f.next(joined)
		f.next(joined)
		if f.cur().kind == '{' {
			f.compound(depth, joined)
		}
	case t.kind == ';':
		f.spacing.last = token{}
		f.depth = depth
		f.next(joined)
	case t.key == kwIf, t.key == kwCall:
		f.stmt(depth+1, begun)
	case !f.breaks(br == joined):
		// Its lines go on deeper than the IF, whose line it is in.
		f.simple(depth, joined)
	default:
		f.stmt(depth+1, begun)
	}
}

// breaks reports whether a line must begin in front of the current token, for a
// comment, or began there, unless that is to be joined.
func (f *formatter) breaks(join bool) bool {
	it := &f.items[f.at]
	for i := range it.comments {
		if it.comments[i].line || it.comments[i].newlines > 0 {
			return true
		}
	}
	return it.newlines > 0 && !join
}

func (f *formatter) ifStmt(depth int, br break_) {
	f.first(br, depth)
	for {
		f.expr()
		f.action(depth)
		if f.items[f.beyondDefines()].key != kwElse {
			return
		}
		for f.cur().key == kwDefine {
			f.define(depth)
		}
		f.lines.close()
		f.first(begun, depth)
		if f.cur().key != kwIf {
			f.body(depth, kept)
			return
		}
		f.next(joined)
	}
}

// beyondDefines returns the index of the next token that is of no DEFINE.
func (f *formatter) beyondDefines() int {
	i := f.at
	for f.items[i].key == kwDefine {
		for f.items[i].kind != ';' && f.items[i].kind != kEOF {
			i++
		}
		if f.items[i].kind == ';' {
			i++
		}
	}
	return i
}

// expr lays out an IF's expression: up to what begins a statement, or a name behind
// something complete that is no operator.
func (f *formatter) expr() {
	complete := false
	for {
		t := f.cur()
		join := f.joins()
		switch {
		case f.starts(), f.closes(), t.kind == ';':
			return
		case f.parens == 0 && complete && t.kind == kName && !join:
			if _, tested := operators[f.ahead().kind]; !tested {
				return
			}
		}
		f.next(f.mayBreak())
		switch t.kind {
		case kName:
			complete = !join
		case kValue, kChar, ')':
			complete = true
		default:
			complete = false
		}
	}
}

// action lays out what an IF does: SAVE, a statement, or both.
func (f *formatter) action(depth int) {
	f.parens = 0
	next := f.ahead().kind
	if f.cur().key != kwSave || next != ';' && next != ',' {
		f.body(depth, kept)
		return
	}
	br := kept
	if next == ',' && f.at+2 < len(f.items) {
		switch t := f.items[f.at+2]; {
		case t.kind == '{', t.key == kwIf, t.key == kwCall:
			br = joined
		}
	}
	broken := br == kept && f.breaks(false)
	f.next(br)
	f.next(joined)
	switch {
	case next == ';':
	case broken:
		f.body(depth, joined)
	default:
		f.body(depth, kept)
	}
}

func (f *formatter) call(depth int, br break_) {
	f.first(br, depth)
	f.header()
	for !f.closes() {
		if f.cur().kind != kValue || f.ahead().kind != ':' {
			f.stmt(depth+1, begun) // what a DEFINE hides
			continue
		}
		f.first(begun, depth+1)
		f.next(joined)
		for f.cur().kind == kValue && f.ahead().kind == ':' {
			f.next(joined)
			f.next(joined)
		}
		f.body(depth+1, joined)
	}
	f.ending(kwEndcall, depth)
}

func (f *formatter) subroutine(depth int) {
	f.first(begun, depth)
	f.header()
	f.lines.open()
	for f.cur().key != kwEndsub && f.cur().key != kwSubroutine && f.cur().kind != kEOF {
		f.stmt(depth+1, begun)
	}
	f.ending(kwEndsub, depth)
}

// header lays out a name and parameters.
func (f *formatter) header() {
	for k := f.cur().kind; k == kName && !f.starts() && !f.closes() || k == '(' || k == ')' || k == ','; k = f.cur().kind {
		f.next(f.mayBreak())
		if k == ')' {
			return
		}
	}
}

// ending lays out ENDCALL or ENDSUB, if it is there.
func (f *formatter) ending(key keyword, depth int) {
	if f.cur().key != key {
		return
	}
	f.lines.close()
	f.first(begun, depth+1)
	if f.cur().kind == ';' {
		f.next(joined)
	}
}
