// Package sqlerror tells the errors of SQLite and PostgreSQL apart: what kind of fault an error is, and what the operator can do
// about it.
package sqlerror
