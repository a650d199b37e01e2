package checklist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const roomsFile = "ROOMS.md"

// Each use case of XEP-0045, and what rooms do beyond it, has a scenario.
func TestRoomsTable(t *testing.T) {
	t.Parallel()
	cases, err := UseCases()
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := ReadRoomScenarios(filepath.Join("..", "scenarios"))
	if err != nil || len(scenarios) == 0 {
		t.Fatal(len(scenarios), err)
	}
	want, missing := RoomsTable(cases, scenarios)
	for _, u := range missing {
		t.Errorf("XEP-%s %s has no scenario: %s", u.XEP, u.Section, u.Title)
	}
	for _, u := range cases {
		if u.Test == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(u.Test))); err != nil {
			t.Errorf("the test of %s is not there: %v", u.Title, err)
		}
	}
	if *update {
		if err := os.WriteFile(roomsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(roomsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not current: run go test ./integration/checklist -run TestRoomsTable -update", roomsFile)
	}
}

// What scenarios cite is read with its ranges.
func TestCitedSections(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"# XEP-0045 §7.2.1 to §7.2.3, §9.1":      "0045,0045 7.2.1,0045 7.2.2,0045 7.2.3,0045 9.1",
		"# XEP-0313 §6.1, XEP-0359, XEP-0045 §7": "0313,0313 6.1,0359,0045,0045 7",
		"# §8.4, §8.3":                           "0045 8.4,0045 8.3",
		"# nothing":                              "",
	} {
		if got := strings.Join(citedSections(line), ","); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}
