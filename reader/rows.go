package reader

import (
	"context"
	"errors"
	"fmt"

	"rtfm/mib"
	"rtfm/mib/client"
)

// rows are the rows of flowReaderInfoTable that a Collector has, by ruleset.
type rows map[int]*row

// row is one of them.
type row struct {
	index int
	mib.Reader
}

// begin begins a collection from a ruleset. If the collection before failed,
// pending is set, and the row left as it is.
func (k *Collector) begin(ctx context.Context, c *client.Client, st *client.Status, ruleSet int) (r *row, pending bool, err error) {
	r, err = k.row(ctx, c, ruleSet)
	if err != nil {
		return nil, false, err
	}
	pending = k.pending(st, ruleSet, r)
	timeout := k.cfg.Timeout
	if pending && st.Extension {
		// The timeout counts from LastTime.
		timeout += int(int32(st.Uptime-uint32(r.LastTime))) / 100
	}
	if k.cfg.Timeout > 0 && (r.Timeout < timeout || r.Timeout > 2*timeout) {
		if err := c.SetReaderTimeout(ctx, r.index, timeout+timeout/2); err != nil {
			return nil, false, fmt.Errorf("setting the timeout of reader %d: %w", r.index, err)
		}
	}
	if pending {
		return r, true, nil
	}
	now, err := c.BeginCollection(ctx, r.index, &r.Reader)
	if err != nil {
		return nil, false, err
	}
	if now.PreviousTime != r.LastTime {
		k.cfg.Warn(fmt.Errorf("%s: someone else has set LastTime of reader %d, or the request came twice: the meter may have recovered flows that were not read", c.Address(), r.index))
	}
	r.Reader = *now
	return r, false, nil
}

// pending reports whether LastTime was set for a collection that did not come
// into the file.
func (k *Collector) pending(st *client.Status, ruleSet int, r *row) bool {
	if r.LastTime == 0 {
		return false
	}
	if k.state == nil || k.restarted(st) {
		return true
	}
	collected, ok := k.state.Collected[ruleSet]
	return !ok || int32(uint32(r.LastTime)-uint32(collected)) > 0
}

// row returns the reader's row for a ruleset as the meter has it now. It makes
// one if there is none.
func (k *Collector) row(ctx context.Context, c *client.Client, ruleSet int) (*row, error) {
	had := k.rows[ruleSet]
	if had != nil {
		now, err := c.Reader(ctx, had.index)
		if err != nil {
			return nil, err
		}
		if now != nil && k.mine(now, ruleSet) {
			had.Reader = *now
			return had, nil
		}
	}
	all, err := c.Readers(ctx)
	if err != nil {
		return nil, err
	}
	if k.rows == nil {
		k.rows = make(rows)
	}
	for i, now := range all.All {
		if i >= k.cfg.FirstRow && i <= k.cfg.LastRow && k.mine(now, ruleSet) {
			k.rows[ruleSet] = &row{i, *now}
			return k.rows[ruleSet], nil
		}
	}
	for i := k.cfg.FirstRow; i <= k.cfg.LastRow; i++ {
		if all.At(i) != nil {
			continue
		}
		now := mib.Reader{
			Row: mib.Row{Owner: k.cfg.Owner, Active: true}, RuleSet: ruleSet,
			Timeout: k.cfg.Timeout + k.cfg.Timeout/2,
		}
		err := c.CreateReader(ctx, i, &now)
		if errors.Is(err, client.ErrExists) {
			continue
		} else if err != nil {
			return nil, err
		}
		if had != nil {
			k.cfg.Warn(fmt.Errorf("%s: reader %d was gone: the meter may have recovered flows that were not read", c.Address(), had.index))
		}
		k.rows[ruleSet] = &row{i, now}
		return k.rows[ruleSet], nil
	}
	return nil, fmt.Errorf("%s: no row from %d to %d of flowReaderInfoTable is free", c.Address(), k.cfg.FirstRow, k.cfg.LastRow)
}

func (k *Collector) mine(r *mib.Reader, ruleSet int) bool {
	return r.Active && r.Owner == k.cfg.Owner && r.RuleSet == ruleSet
}

// Leave removes the Collector's rows from the meter: flows that were not read
// may then be recovered.
func (k *Collector) Leave(ctx context.Context, c *client.Client) error {
	var errs []error
	for ruleSet, r := range k.rows {
		if err := c.DestroyReader(ctx, r.index); err != nil {
			errs = append(errs, fmt.Errorf("removing reader %d: %w", r.index, err))
			continue
		}
		delete(k.rows, ruleSet)
	}
	return errors.Join(errs...)
}
