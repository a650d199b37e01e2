// Package config defines all settings of the server in one struct, with defaults, a doc tag
// on each field, and validation that reports all errors together. A network adds a
// Section, which is read, checked and documented in the same way.
//
// Load reads TOML, then the environment (DRAGOMAN_ and the key's path in capitals, such as
// DRAGOMAN_SERVER_DATA), then files with secrets (the setting key_file for key).
// The example file and the reference are generated from the struct: example.toml and
// REFERENCE.md are checked against it by a test, and go generate writes them.
//
// The package starts no goroutine, has no locks and imports no other package of the module.
package config
