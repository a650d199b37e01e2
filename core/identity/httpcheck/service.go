package httpcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	maxAnswer      = 64 << 10
	maxID          = 1024
	maxConnections = 64
)

// Service is a web service.
type Service struct {
	settings config.HTTPCheck
	client   *http.Client
}

// New checks the settings. It does not connect.
func New(c config.HTTPCheck) (*Service, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	secure, err := identity.ClientTLS(c.CA, u.Hostname())
	if err != nil {
		return nil, err
	}
	return &Service{settings: c, client: &http.Client{
		Timeout: time.Duration(c.Timeout),
		Transport: &http.Transport{
			TLSClientConfig: secure, ForceAttemptHTTP2: true, DisableCompression: true, MaxResponseHeaderBytes: maxAnswer,
			MaxConnsPerHost: maxConnections, MaxIdleConnsPerHost: maxConnections, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // passwords go to nobody else
	}}, nil
}

// Close closes the connections.
func (s *Service) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// For returns the service for the accounts of a host.
func (s *Service) For(host string) *Host { return &Host{s, host} }

// Host is a service for the accounts of one host: an identity.Passwords and an identity.Finder.
type Host struct {
	service *Service
	host    string
}

type question struct {
	Action   string `json:"action"`
	Host     string `json:"host"`
	Username string `json:"username"`
	Password string `json:"password,omitempty"`
}

// CheckPassword implements identity.Passwords.
func (h *Host) CheckPassword(ctx context.Context, username, password string) (identity.Person, error) {
	if password == "" {
		return identity.Person{}, sasl.ErrRefused
	}
	return h.service.ask(ctx, question{"check", h.host, username, password})
}

// Find implements identity.Finder.
func (h *Host) Find(ctx context.Context, username string) (identity.Person, error) {
	return h.service.ask(ctx, question{"find", h.host, username, ""})
}

func (s *Service) ask(ctx context.Context, q question) (identity.Person, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return identity.Person{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.settings.URL, bytes.NewReader(body))
	if err != nil {
		return identity.Person{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.settings.Secret)
	response, err := s.client.Do(request)
	if err != nil {
		return identity.Person{}, err
	}
	defer response.Body.Close()
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); response.StatusCode != http.StatusOK || err != nil || kind != "application/json" {
		return identity.Person{}, fmt.Errorf("status %d, type %.40q", response.StatusCode, response.Header.Get("Content-Type"))
	}
	return read(response.Body, q.Username)
}

// read reads an answer.
func read(from io.Reader, username string) (identity.Person, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxAnswer+1))
	if err != nil {
		return identity.Person{}, fmt.Errorf("read the answer: %w", err)
	}
	if len(text) > maxAnswer {
		return identity.Person{}, fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	var answer struct {
		OK *bool   `json:"ok"`
		ID *string `json:"id"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return identity.Person{}, errors.New("the answer is not the JSON object that is wanted") // without its text, which may have anything in it
	}
	switch {
	case answer.OK == nil:
		return identity.Person{}, errors.New("the answer has no ok")
	case !*answer.OK:
		return identity.Person{}, sasl.ErrRefused
	case answer.ID == nil:
		return identity.Person{Subject: "name " + username, Name: username}, nil
	case *answer.ID == "" || len(*answer.ID) > maxID:
		return identity.Person{}, errors.New("the answer has an id that is empty or too long")
	}
	return identity.Person{Subject: "id " + *answer.ID, Name: username}, nil
}
