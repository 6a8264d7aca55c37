package cmd

import "rtfm/reader"

// open opens the flow data file, or what stands for it, and returns what is known of
// earlier collections there.
func (r *reading) open() (known *reader.State, err error) {
	o := r.options
	switch {
	case o.isView():
		r.out = &r.page
		return nil, nil
	case o.output == "-", o.output == "" && !o.exports.wanted():
		r.out = &reader.Stream{W: r.stdout}
		return nil, nil
	}
	name := o.output
	if name == "" {
		name, err = o.exports.recent()
		if err != nil {
			return nil, err
		}
	}
	file, known, err := reader.OpenFile(name)
	if err != nil {
		return nil, err
	}
	if err := file.Damage(); err != nil {
		r.log.Warn("what was known of the flow data file is lost", "error", err)
	}
	r.out, r.file = file, file
	if o.output == "" {
		r.out, o.json = reader.Recent{File: file}, true
	}
	return known, nil
}

// close closes the flow data file.
func (r *reading) close() {
	if r.file != nil {
		r.file.Close()
	}
}
