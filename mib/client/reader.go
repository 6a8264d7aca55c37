package client

import (
	"context"
	"fmt"
	"math"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

var readerColumns = []*module.Object{
	module.FlowReaderStatus, module.FlowReaderOwner, module.FlowReaderTimeout, module.FlowReaderLastTime, module.FlowReaderPreviousTime, module.FlowReaderRuleSet,
}

func (r *values) reader(row []smi.VarBind) *mib.Reader {
	return &mib.Reader{
		Row:          mib.Row{Active: r.active(&row[0]), Owner: r.text(&row[1])},
		Timeout:      r.int(&row[2], 0, math.MaxInt32),
		LastTime:     r.uint(&row[3], smi.TimeTicks),
		PreviousTime: r.uint(&row[4], smi.TimeTicks),
		RuleSet:      r.int(&row[5], 0, math.MaxInt32),
	}
}

// Readers reads the rows of flowReaderInfoTable. Their times are modulo 2^32
// centiseconds.
func (c *Client) Readers(ctx context.Context) (*mib.Rows[mib.Reader], error) {
	rows := new(mib.Rows[mib.Reader])
	err := c.rows(ctx, mib.MaxRows, readerColumns, func(i int, row []smi.VarBind) error {
		var r values
		rows.Put(i, r.reader(row))
		return r.err
	})
	return rows, err
}

// Reader reads one row of flowReaderInfoTable, nil if there is none.
func (c *Client) Reader(ctx context.Context, index int) (*mib.Reader, error) {
	var names []smi.OID
	for _, o := range readerColumns {
		names = append(names, o.At(uint32(index)))
	}
	vars, err := c.get(ctx, names...)
	if err != nil {
		return nil, err
	}
	if vars[0].Value.Type == smi.NoSuchInstance {
		return nil, nil
	}
	var r values
	row := r.reader(vars)
	if r.err != nil {
		return nil, c.wrap(r.err)
	}
	return row, nil
}

// CreateReader registers a reader with the Owner, Timeout in seconds and
// RuleSet of r. It is ErrExists if there is a row with this index.
func (c *Client) CreateReader(ctx context.Context, index int, r *mib.Reader) error {
	row := uint32(index)
	err := c.create(ctx, index, module.FlowReaderStatus, smi.RowCreateAndGo, module.FlowReaderOwner, r.Owner,
		integer(module.FlowReaderTimeout.At(row), r.Timeout), integer(module.FlowReaderRuleSet.At(row), r.RuleSet))
	if err != nil {
		return fmt.Errorf("creating reader %d: %w", index, err)
	}
	return nil
}

// SetReaderTimeout sets after how many seconds without a collection the meter
// forgets a reader; 0 means never.
func (c *Client) SetReaderTimeout(ctx context.Context, index, seconds int) error {
	return c.set(ctx, nil, integer(module.FlowReaderTimeout.At(uint32(index)), seconds))
}

// DestroyReader removes a reader's row.
func (c *Client) DestroyReader(ctx context.Context, index int) error {
	return c.destroy(ctx, index, module.FlowReaderStatus)
}

// BeginCollection tells the meter that a reader, whose row was known to be as
// given, begins a collection, and returns the row as it is then. The meter may
// now recover flows that were not active since known.LastTime.
//
// To do this twice would allow it to recover flows that nobody has read. So a
// request without an answer is sent again only if LastTime is still what it
// was. The value written is the known LastTime: the meter puts its own time
// there whatever it is, but can tell a datagram that came twice by it.
func (c *Client) BeginCollection(ctx context.Context, index int, known *mib.Reader) (*mib.Reader, error) {
	var now *mib.Reader
	moved := func() (ok bool, err error) {
		if now, err = c.Reader(ctx, index); err == nil && now == nil {
			err = c.wrap(fmt.Errorf("%w: %s", ErrNoObject, module.InstanceName(module.FlowReaderStatus.At(uint32(index)))))
		}
		return err == nil && now.LastTime != known.LastTime, err
	}
	err := c.set(ctx, moved, ticks(module.FlowReaderLastTime.At(uint32(index)), uint32(known.LastTime)))
	if err == nil {
		_, err = moved()
	}
	if err != nil {
		return nil, fmt.Errorf("beginning a collection as reader %d: %w", index, err)
	}
	return now, nil
}

// Collected tells a meter that stands still, because its trace waits for its
// reader, that everything until now was collected. The first request puts the
// meter's time in LastTime, the second in PreviousTime too; more of them change
// nothing.
func (c *Client) Collected(ctx context.Context, index int) error {
	for range 2 {
		if err := c.set(ctx, nil, ticks(module.FlowReaderLastTime.At(uint32(index)), 0)); err != nil {
			return fmt.Errorf("telling that reader %d has collected: %w", index, err)
		}
	}
	return nil
}
