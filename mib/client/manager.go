package client

import (
	"context"
	"fmt"
	"math"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Managers reads the rows of flowManagerInfoTable, which are the meter's tasks.
func (c *Client) Managers(ctx context.Context) (*mib.Rows[mib.Manager], error) {
	rows := new(mib.Rows[mib.Manager])
	columns := []*module.Object{
		module.FlowManagerStatus, module.FlowManagerOwner, module.FlowManagerCurrentRuleSet, module.FlowManagerStandbyRuleSet,
		module.FlowManagerHighWaterMark, module.FlowManagerTimeStamp, module.FlowManagerRunningStandby,
	}
	err := c.rows(ctx, mib.MaxRows, columns, func(i int, row []smi.VarBind) error {
		var r values
		rows.Put(i, &mib.Manager{
			Row:            mib.Row{Active: r.active(&row[0]), Owner: r.text(&row[1])},
			CurrentRuleSet: r.int(&row[2], 0, math.MaxInt32),
			StandbyRuleSet: r.int(&row[3], 0, math.MaxInt32),
			HighWaterMark:  r.int(&row[4], 0, 100),
			TimeStamp:      r.uint(&row[5], smi.TimeTicks),
			RunningStandby: r.truth(&row[6]),
		})
		return r.err
	})
	return rows, err
}

// CreateManager makes a task with the Owner, rulesets, HighWaterMark and
// RunningStandby of m, for StartManagers to start. It is ErrExists if there is
// a row with this index.
func (c *Client) CreateManager(ctx context.Context, index int, m *mib.Manager) error {
	row := uint32(index)
	err := c.create(ctx, index, module.FlowManagerStatus, smi.RowCreateAndWait, module.FlowManagerOwner, m.Owner,
		integer(module.FlowManagerCurrentRuleSet.At(row), m.CurrentRuleSet),
		integer(module.FlowManagerStandbyRuleSet.At(row), m.StandbyRuleSet),
		integer(module.FlowManagerHighWaterMark.At(row), m.HighWaterMark),
		integer(module.FlowManagerRunningStandby.At(row), int(smi.Truth(m.RunningStandby))))
	if err != nil {
		return fmt.Errorf("creating task %d: %w", index, err)
	}
	return nil
}

// StartManagers starts tasks, all of them with the same packet.
func (c *Client) StartManagers(ctx context.Context, indexes ...int) error {
	var vars []smi.VarBind
	for _, i := range indexes {
		vars = append(vars, integer(module.FlowManagerStatus.At(uint32(i)), int(smi.RowActive)))
	}
	if err := c.set(ctx, nil, vars...); err != nil {
		return fmt.Errorf("starting tasks %d: %w", indexes, err)
	}
	return nil
}

// SetManager gives a task the rulesets, HighWaterMark and RunningStandby of m,
// all at once.
func (c *Client) SetManager(ctx context.Context, index int, m *mib.Manager) error {
	row := uint32(index)
	err := c.set(ctx, nil,
		integer(module.FlowManagerCurrentRuleSet.At(row), m.CurrentRuleSet),
		integer(module.FlowManagerStandbyRuleSet.At(row), m.StandbyRuleSet),
		integer(module.FlowManagerHighWaterMark.At(row), m.HighWaterMark),
		integer(module.FlowManagerRunningStandby.At(row), int(smi.Truth(m.RunningStandby))))
	if err != nil {
		return fmt.Errorf("changing task %d: %w", index, err)
	}
	return nil
}

// SetRunningStandby makes a task run its standby ruleset, or the current one
// again.
func (c *Client) SetRunningStandby(ctx context.Context, index int, standby bool) error {
	if err := c.set(ctx, nil, integer(module.FlowManagerRunningStandby.At(uint32(index)), int(smi.Truth(standby)))); err != nil {
		return fmt.Errorf("changing task %d: %w", index, err)
	}
	return nil
}

// DestroyManager ends a task.
func (c *Client) DestroyManager(ctx context.Context, index int) error {
	return c.destroy(ctx, index, module.FlowManagerStatus)
}
