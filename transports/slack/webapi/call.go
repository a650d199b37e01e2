package webapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// API calls methods with one token.
type API struct {
	http  *http.Client
	base  string
	token string
	log   *slog.Logger
}

// New makes a client. base ends with a slash.
func New(client *http.Client, base, token string, log *slog.Logger) *API {
	return &API{http: client, base: base, token: token, log: log}
}

// Page is the part of a list method's answer beside the list.
type Page struct {
	More bool `json:"has_more"`
	Meta struct {
		Next string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// Next is the cursor of the next page; "" after the last one.
func (p *Page) Next() string { return p.Meta.Next }

// Error is a method's own answer that it was refused.
type Error struct {
	Method string
	Code   string // "channel_not_found"
	Needed string // the scope that is missing, where Code is "missing_scope"
}

// Error is the method and the code.
func (e *Error) Error() string { return e.Method + ": " + e.Code }

// StatusError is an answer without Slack's own error.
type StatusError struct {
	Method string
	Status int
	After  time.Duration // how long to wait; of status 429 only
}

// Error is the method and the status.
func (e *StatusError) Error() string { return fmt.Sprintf("%s: status %d", e.Method, e.Status) }

// ErrNonsense means an answer that is not from the Web API: a proxy's page, or incomplete JSON.
var ErrNonsense = errors.New("the answer is not one of Slack's API")

// Code is the code of a method's refusal; "" for any other error.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Call calls a method and decodes its answer into out, which may be nil. It returns the header of the answer.
func (a *API) Call(ctx context.Context, method string, args url.Values, out any) (http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+method, strings.NewReader(args.Encode()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer "+a.token)
	answer, err := a.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = answer.Body.Close() }() // the body was read: an error of Close changes nothing
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", method, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(method, answer, body)
	}
	return answer.Header, a.decode(method, body, out)
}

// refusal makes an error of an answer whose status is not 200. Slack's own error may be in it all the same.
func refusal(method string, answer *http.Response, body []byte) error {
	e := &StatusError{Method: method, Status: answer.StatusCode}
	if answer.StatusCode == http.StatusTooManyRequests {
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			seconds = 1
		}
		e.After = time.Duration(min(seconds, int(maxAfter/time.Second))) * time.Second
		return e
	}
	var named *Error
	if err := (&API{}).decode(method, body, nil); errors.As(err, &named) {
		return named
	}
	return e
}

// maxAfter is the longest Retry-After that is accepted.
const maxAfter = time.Hour

func (a *API) decode(method string, body []byte, out any) error {
	var head struct {
		OK     *bool  `json:"ok"`
		Error  string `json:"error"`
		Needed string `json:"needed"`
	}
	left, err := lenientjson.Unmarshal(body, &head)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w: %w", method, ErrNonsense, err)
	case head.OK == nil && !slices.Contains(left, "ok"):
		return fmt.Errorf("%s: %w", method, ErrNonsense)
	case head.Error != "" && (head.OK == nil || !*head.OK):
		return &Error{Method: method, Code: head.Error, Needed: head.Needed}
	case head.OK != nil && !*head.OK:
		return &Error{Method: method, Code: "unknown_error"}
	case out == nil:
		return nil
	}
	if left, _ = lenientjson.Unmarshal(body, out); len(left) > 0 {
		a.log.Warn("an answer of slack has values of other types, which are left out", "method", method, "values", left)
	}
	return nil
}
