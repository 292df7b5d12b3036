// Command opentelemetry turns what msalext tells through its Trace hooks into
// OpenTelemetry spans, and prints them as JSON. It is a module of its own, so
// that the library doesn't depend on OpenTelemetry.
//
//	go run . [location]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/plugins/file"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "opentelemetry:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	exporter, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	defer func() { err = errors.Join(err, provider.Shutdown(ctx)) }()

	ctx, span := provider.Tracer("example").Start(ctx, "use the token cache")
	defer span.End()
	return use(ctx, spans(ctx, provider.Tracer("msalext")))
}

// spans makes a span of each event, in the place of ctx's.
func spans(ctx context.Context, tracer trace.Tracer) *persist.Trace {
	record := func(name string) func(persist.Event) {
		return func(e persist.Event) {
			_, span := tracer.Start(ctx, name, trace.WithTimestamp(e.Start), trace.WithAttributes(
				attribute.String("msalext.backend", e.Backend), attribute.Int("msalext.bytes", e.Bytes)))
			if e.Err != nil {
				span.SetStatus(codes.Error, e.Err.Error())
			}
			span.End(trace.WithTimestamp(e.Start.Add(e.Took)))
		}
	}
	return &persist.Trace{
		PluginStart: record("plugin start"), LockWait: record("lock wait"), Load: record("load"),
		Merge: record("merge"), Save: record("save"), Conflict: record("conflict"),
	}
}

func use(ctx context.Context, t *persist.Trace) error {
	location := filepath.Join(os.TempDir(), fmt.Sprintf("msalext-opentelemetry-%d", os.Getuid()), "token-cache")
	if len(os.Args) > 1 {
		location = os.Args[1]
	}
	p, err := extensions.Open(ctx, "file", location, &extensions.Options{InProcess: []backend.Backend{file.Backend()}, Trace: t})
	if err != nil {
		return err
	}
	err = p.Update(ctx, func(old []byte) ([]byte, error) { return append(old[:len(old):len(old)], "more\n"...), nil })
	return errors.Join(err, p.Close())
}
