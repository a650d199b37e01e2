package checklist

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed rooms.txt
var roomLines string

// UseCase is one use case of rooms.
type UseCase struct {
	XEP, Section string // Section is "" for the whole of an extension
	Title        string
	Test         string // a file of tests, where no scenario shows it
}

// UseCases reads rooms.txt.
func UseCases() ([]UseCase, error) {
	var list []UseCase
	for line := range strings.Lines(roomLines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.SplitN(line, " ", 3)
		if len(fields) != 3 || len(fields[0]) != 4 {
			return nil, fmt.Errorf("rooms.txt: %q is no use case", line)
		}
		u := UseCase{XEP: fields[0], Section: strings.TrimSuffix(fields[1], "-")}
		u.Title, u.Test, _ = strings.Cut(fields[2], " = ")
		list = append(list, u)
	}
	return list, nil
}

// RoomScenario is what a scenario says about itself.
type RoomScenario struct {
	File    string
	Cites   []string // "0045", "0045 7.2.1"
	Prosody bool     // it runs against Prosody too
}

// ReadRoomScenarios reads the scenarios in a directory.
func ReadRoomScenarios(dir string) ([]RoomScenario, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.scenario"))
	if err != nil {
		return nil, err
	}
	var list []RoomScenario
	for _, file := range files {
		s := RoomScenario{File: filepath.Base(file), Prosody: true}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		for in := bufio.NewScanner(f); in.Scan(); {
			line := strings.TrimSpace(in.Text())
			if strings.HasPrefix(line, "#") {
				s.Cites = append(s.Cites, citedSections(line)...)
			}
			s.Prosody = s.Prosody && line != "only: dragoman"
		}
		f.Close()
		list = append(list, s)
	}
	return list, nil
}

// citedRoom finds an extension and sections behind it; a section without an extension in front of it is of XEP-0045.
var citedRoom = regexp.MustCompile(`XEP-(\d{4})|§([\d.]*\d)(?: to §([\d.]*\d))?`)

// citedSections returns what a comment cites.
func citedSections(line string) (list []string) {
	of := "0045"
	for _, m := range citedRoom.FindAllStringSubmatch(line, -1) {
		if m[1] != "" {
			of = m[1]
			list = append(list, of)
			continue
		}
		for _, section := range sections(m[2], m[3]) {
			list = append(list, of+" "+section)
		}
	}
	return list
}

// sections are those from one to another that differ in the last number; to may be empty.
func sections(from, to string) []string {
	i := strings.LastIndex(from, ".") + 1
	first, err := strconv.Atoi(from[i:])
	last, err2 := strconv.Atoi(strings.TrimPrefix(to, from[:i]))
	if err != nil || err2 != nil {
		return []string{from}
	}
	var list []string
	for n := first; n <= last; n++ {
		list = append(list, from[:i]+strconv.Itoa(n))
	}
	return list
}

// shows reports whether a scenario shows a use case.
func (s *RoomScenario) shows(u UseCase) bool {
	return slices.Contains(s.Cites, strings.TrimSpace(u.XEP+" "+u.Section))
}

// RoomsTable writes ROOMS.md, and lists the use cases that nothing shows.
func RoomsTable(cases []UseCase, scenarios []RoomScenario) (text string, missing []UseCase) {
	var b strings.Builder
	b.WriteString("# Use cases of rooms, and the scenarios that show them\n\n" +
		"Written by `go test ./integration/checklist -run TestRoomsTable -update`; rooms.txt names the use cases, and each scenario what it\n" +
		"shows. Those with a star run against Prosody too.\n\n| XEP | section | use case | scenarios |\n|---|---|---|---|\n")
	for _, u := range cases {
		var files []string
		for i := range scenarios {
			if s := &scenarios[i]; s.shows(u) {
				name := strings.TrimSuffix(s.File, ".scenario")
				if s.Prosody {
					name += "*"
				}
				files = append(files, name)
			}
		}
		if len(files) == 0 && u.Test != "" {
			files = append(files, u.Test)
		}
		if len(files) == 0 {
			missing = append(missing, u)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", u.XEP, u.Section, u.Title, strings.Join(files, ", "))
	}
	return b.String(), missing
}
