package smi

// Capability is a row of an agent's sysORTable (RFC 3418 section 2): an identifier
// of what the agent has, and the same in words, at most 255 octets.
type Capability struct {
	ID    OID
	Descr string
}

// Handler is a MIB as a front end sees it. Each method answers one whole PDU,
// so that a Handler can take every variable of it from the same instant. Its
// errors, and those of a Transaction, are or wrap an *Error; see Refusal.
//
// One front end makes one call at a time, and has at most one Transaction
// open; several front ends may call at once. A method returns soon, whatever
// else the process does: a front end answers nobody meanwhile.
//
// The elements of out belong to the front end, and so does their memory. The
// Handler fills all of them by copying (VarBind.SetName, Value.SetOctets and
// so on, or append to a field cut to length 0). What it is given it neither
// changes nor keeps; variables to set stay as they are until the
// Transaction's Cleanup has returned.
type Handler interface {
	// Get fills out[i] with the variable called names[i], or with that name
	// and NoSuchObject or NoSuchInstance (RFC 3416 section 4.2.1).
	Get(names []OID, out []VarBind) error
	// Next fills out[i] with the first variable in ranges[i], or with that
	// range's Start and EndOfMibView (RFC 2741 section 7.2.3.2).
	Next(ranges []Range, out []VarBind) error
	// Bulk answers b as b.Fill does. A MIB that changes while requests are
	// answered calls b.Fill with its own Next where nothing can change.
	Bulk(b *Bulk, out []VarBind) ([]VarBind, error)
	// Test validates all of vbs and reserves what setting them takes, but
	// changes nothing (RFC 3416 section 4.2.5, first phase).
	Test(vbs []VarBind) (Transaction, error)
}

// Range is where Next looks for a variable: after Start, or at Start too if
// Include is set, and before End unless that is empty.
type Range struct {
	Start, End OID
	Include    bool
}

// Contains reports whether a variable of this name lies in the range.
func (r *Range) Contains(name OID) bool {
	c := name.Compare(r.Start)
	return (c > 0 || c == 0 && r.Include) && (len(r.End) == 0 || name.Compare(r.End) < 0)
}

// Transaction is a Set whose test succeeded. A front end either commits it or
// does not, undoes it if it was committed (or failed to) and something went
// wrong, and in any case calls Cleanup last, once.
type Transaction interface {
	// Commit sets all variables as if at once. After an error it is undone.
	Commit() error
	// Undo puts everything back as it was before Commit.
	Undo() error
	// Cleanup releases what the transaction holds.
	Cleanup()
}
