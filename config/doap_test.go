package config

import (
	"encoding/xml"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// specification is one that dragoman.doap lists.
type specification struct {
	Page struct {
		Address string `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# resource,attr"`
	} `xml:"https://linkmauve.fr/ns/xmpp-doap# xep"`
	Version string `xml:"https://linkmauve.fr/ns/xmpp-doap# version"`
	Status  string `xml:"https://linkmauve.fr/ns/xmpp-doap# status"`
	Note    string `xml:"https://linkmauve.fr/ns/xmpp-doap# note"` // its title, where it is implemented, how far
}

var page = regexp.MustCompile(`^https://xmpp\.org/extensions/xep-(\d{4})\.html$`)

func specifications(t *testing.T) map[string]specification {
	t.Helper()
	text, err := os.ReadFile("dragoman.doap")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		All []specification `xml:"Project>implements>SupportedXep"`
	}
	if err := xml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	found := map[string]specification{}
	for _, s := range file.All {
		number := page.FindStringSubmatch(s.Page.Address)
		if number == nil || s.Version == "" || !slices.Contains([]string{"complete", "partial"}, s.Status) {
			t.Fatalf("not a specification: %+v", s)
		}
		found[number[1]] = s
	}
	if len(found) != len(file.All) || len(found) < 50 {
		t.Fatalf("%d specifications, %d of them different", len(file.All), len(found))
	}
	return found
}

// mentioned are specifications that comments mention and that are not implemented.
var mentioned = map[string]string{
	"0033": "addresses, which carbons leave alone",
	"0178": "EXTERNAL between servers, for which mechanisms are ready",
	"0198": "stream management, for which the router's promises are ready",
	"0231": "cid: addresses of media, which are named",
	"0249": "invitations, of which no carbons are made",
	"0380": "encrypted messages, which are refused",
	"0386": "Bind 2, for which carbons are ready",
	"0388": "SASL2, for which mechanisms are ready",
}

var cited = regexp.MustCompile(`XEP-(\d{4})`)

// TestSpecificationsAreInCode compares the list with what the code cites.
func TestSpecificationsAreInCode(t *testing.T) {
	t.Parallel()
	where := map[string]string{}
	for _, root := range []string{"../core", "../transports"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && (d.Name() == "fake" || d.Name() == "testdata") {
				return skip(err)
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			for _, m := range cited.FindAllSubmatch(text, -1) {
				where[string(m[1])] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	listed := specifications(t)
	for number := range listed {
		if where[number] == "" {
			t.Errorf("XEP-%s is listed in dragoman.doap and cited nowhere", number)
		}
	}
	for number, path := range where {
		_, known := listed[number]
		if known == (mentioned[number] != "") {
			t.Errorf("XEP-%s is cited in %s: it belongs into dragoman.doap or among those that are mentioned only, not both", number, path)
		}
	}
}

// skip leaves a directory out where nothing is wrong with it.
func skip(err error) error {
	if err == nil {
		err = fs.SkipDir
	}
	return err
}

// TestReadmeListsSpecifications compares the list with the table that people read.
func TestReadmeListsSpecifications(t *testing.T) {
	t.Parallel()
	listed := specifications(t)
	var want strings.Builder
	want.WriteString("| specification | state | where |\n| --- | --- | --- |\n")
	for _, number := range slices.Sorted(maps.Keys(listed)) {
		s := listed[number]
		title, note, _ := strings.Cut(s.Note, ". ")
		fmt.Fprintf(&want, "| [XEP-%s](%s) %s %s | %s | %s |\n", number, s.Page.Address, title, s.Version, s.Status, note)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), want.String()+"\n") {
		t.Errorf("README.md has another table of specifications than dragoman.doap, which gives:\n%s", want.String())
	}
}
