package checklist

import (
	"bufio"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed lines.txt
var lineText string

// Line is one line of the list.
type Line struct {
	Number int
	Title  string
	Due    bool // must have a test
}

// Lines reads lines.txt: a number and a title; a title that begins with "- " is of a part
// of XMPP that this server does not have yet, and needs no test.
func Lines() ([]Line, error) {
	var lines []Line
	in := bufio.NewScanner(strings.NewReader(lineText))
	for in.Scan() {
		text := strings.TrimSpace(in.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		number, title, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(number)
		if err != nil || n != len(lines)+1 || title == "" {
			return nil, fmt.Errorf("lines.txt: %q is not line %d with a title", text, len(lines)+1)
		}
		title, later := strings.CutPrefix(title, "- ")
		lines = append(lines, Line{Number: n, Title: title, Due: !later})
	}
	return lines, in.Err()
}
