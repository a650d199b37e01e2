package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

func main() {
	root := flag.String("root", ".", "the module's folder")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// documents returns the generated files by their paths in the module.
func documents() (map[string]string, error) {
	specs, err := specifications()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"config/dragoman.doap": doap(specs), "config/LIMITS.md": limits(),
		"core/README.md": readme(specs), "core/VULNERABILITIES.md": vulnerabilitiesPage(), "core/admin/README.md": rights(),
	}, nil
}

func write(root string) error {
	all, err := documents()
	if err != nil {
		return err
	}
	for path, text := range all {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// specifications returns the specifications of the server and the gateways, sorted by number.
func specifications() ([]spec.Spec, error) {
	all := append(server.Specs(), bridge.Specs()...)
	slices.SortFunc(all, func(a, b spec.Spec) int { return strings.Compare(a.Number, b.Number) })
	for i, s := range all {
		if i > 0 && all[i-1].Number == s.Number {
			return nil, fmt.Errorf("XEP-%s is declared twice", s.Number)
		}
		if len(s.Number) != 4 || s.Title == "" || s.Version == "" || s.State != spec.Complete && s.State != spec.Partial {
			return nil, fmt.Errorf("not a specification: %+v", s)
		}
	}
	return all, nil
}

func page(s spec.Spec) string { return "https://xmpp.org/extensions/xep-" + s.Number + ".html" }
