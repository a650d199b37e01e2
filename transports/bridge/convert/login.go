package convert

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// LoginStep tells a person what a step of a login wants beside the answers to its fields: the step's
// own text first.
func LoginStep(s transports.Step) []string {
	var lines []string
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	add(s.Text)
	switch {
	case s.Browser != "":
		add("Open this address, and come back here when you have finished: " + s.Browser)
	case s.Cookies != nil:
		add("Log in at this address with a browser: " + s.Cookies.URL)
		for _, f := range s.Cookies.Fields {
			add(cookie(f))
		}
	case s.QR != "":
		add("Scan this text as a QR code: " + s.QR)
	case s.Code != "":
		add("Enter this code there: " + s.Code)
	case len(s.Emoji) > 0:
		add("Compare these pictures with those that you are shown there: " + strings.Join(s.Emoji, " "))
	case s.Wait:
		add("Please wait a moment, then go on.")
	}
	return lines
}

// cookie says where a browser shows a value.
func cookie(f transports.CookieField) string {
	where := map[transports.CookieSource]string{
		transports.SourceCookie: "the cookie", transports.SourceStorage: "in the local storage",
		transports.SourceHeader: "in requests the header", transports.SourceBody: "in the bodies of requests",
	}[f.Source]
	line := "Then copy what the developer tools show as " + where + " " + f.Name
	if f.Domain != "" {
		line += " of " + f.Domain
	}
	return line + "."
}
