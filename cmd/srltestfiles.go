package cmd

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"rtfm/meter/testfile"
)

// testFiles returns the files of tests that arguments name.
func testFiles(args []string) (names []string, err error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if name, ok := strings.CutSuffix(arg, ".srl"); ok {
			arg = name + testfile.Suffix
		}
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == arg || strings.HasSuffix(path, testfile.Suffix)) {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return nil, errors.New("there are no tests: none of the files ends in " + testfile.Suffix)
	}
	return names, nil
}
