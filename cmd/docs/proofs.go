package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// proof names what shows that something works: a scenario, such as "scenario/archive", or a package's folder and one of its
// tests, such as "core/c2s TestDirectTLS".
type proof string

const scenarioPrefix = "scenario/"

// split returns the folder in the module and the test; for a scenario its file and no test.
func (p proof) split() (path, test string) {
	if name, ok := strings.CutPrefix(string(p), scenarioPrefix); ok {
		return "integration/scenarios/" + name + ".scenario", ""
	}
	path, test, _ = strings.Cut(string(p), " ")
	return path, test
}

// check returns an error if there is no such scenario or test in the module.
func (p proof) check(root string) error {
	path, test := p.split()
	path = filepath.Join(root, path)
	if strings.HasPrefix(string(p), scenarioPrefix) {
		_, err := os.Stat(path)
		return err
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test) + `\(`)
	files, err := filepath.Glob(filepath.Join(path, "*_test.go"))
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if test != "" && declared.Match(text) {
			return nil
		}
	}
	return fmt.Errorf("there is no test %q in %s", test, path)
}

// links writes proofs for a page in the folder core.
func links(all []proof) string {
	var out []string
	for _, p := range all {
		path, test := p.split()
		name := test
		if test == "" {
			name = strings.TrimPrefix(string(p), scenarioPrefix) + ".scenario"
		}
		out = append(out, fmt.Sprintf("[%s](%s)", name, "../"+path))
	}
	return strings.Join(out, ", ")
}
