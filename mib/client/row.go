package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// create makes a row: how is createAndGo or createAndWait, owner what the
// column of this name is to hold, vars the other columns.
func (c *Client) create(ctx context.Context, index int, status *module.Object, how smi.RowStatus, ownerColumn *module.Object, owner string, vars ...smi.VarBind) error {
	ours := func() (bool, error) {
		is, exists, err := c.owner(ctx, index, ownerColumn)
		if err == nil && exists && is != owner {
			err = c.wrap(fmt.Errorf("%s: %w", module.InstanceName(status.At(uint32(index))), ErrExists))
		}
		return exists, err
	}
	vars = slices.Concat([]smi.VarBind{
		integer(status.At(uint32(index)), int(how)),
		text(ownerColumn.At(uint32(index)), owner),
	}, vars)
	err := c.set(ctx, ours, vars...)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == smi.InconsistentValue && refused.Object == module.InstanceName(vars[0].Name) {
		if _, exists, ownerErr := c.owner(ctx, index, ownerColumn); ownerErr == nil && exists {
			return c.wrap(fmt.Errorf("%s: %w", refused.Object, ErrExists))
		}
	}
	return err
}

// owner reads the owner of a row, false if there is no row.
func (c *Client) owner(ctx context.Context, index int, column *module.Object) (string, bool, error) {
	vars, err := c.get(ctx, column.At(uint32(index)))
	if err != nil {
		return "", false, err
	}
	if vars[0].Value.Type == smi.NoSuchInstance {
		return "", false, nil
	}
	var r values
	owner := r.text(&vars[0])
	if r.err != nil {
		return "", false, c.wrap(r.err)
	}
	return owner, true, nil
}

// destroy removes a row, if there is one.
func (c *Client) destroy(ctx context.Context, index int, status *module.Object) error {
	return c.set(ctx, nil, integer(status.At(uint32(index)), int(smi.RowDestroy)))
}

// active reads a RowStatus.
func (r *values) active(vb *smi.VarBind) bool {
	return smi.RowStatus(r.int(vb, int(smi.RowActive), int(smi.RowNotReady))) == smi.RowActive
}
