package peers;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.Term;
import org.apache.lucene.queries.spans.SpanMultiTermQueryWrapper;
import org.apache.lucene.queries.spans.SpanNearQuery;
import org.apache.lucene.queries.spans.SpanOrQuery;
import org.apache.lucene.queries.spans.SpanQuery;
import org.apache.lucene.queries.spans.SpanTermQuery;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.RegexpQuery;
import org.apache.lucene.search.TermQuery;

/**
 * Reads {@code (all (term x) (any (phrase a b) (prefix abc)) (not (near 5 (term y) (term z))))}.
 */
final class Queries {
    private static final String FIELD = "text";

    private final String[] tokens;
    private final boolean prefixesAsRegexps;
    private int next;

    private Queries(String text, boolean prefixesAsRegexps) {
        this.tokens = text.replace("(", " ( ").replace(")", " ) ").trim().split("\\s+");
        this.prefixesAsRegexps = prefixesAsRegexps;
    }

    /** The presearcher can only tell prefixes apart that are written as regular expressions. */
    static Query read(String text, boolean prefixesAsRegexps) {
        return new Queries(text, prefixesAsRegexps).query();
    }

    private String take(String expected) {
        String token = tokens[next++];
        if (expected != null && !token.equals(expected)) {
            throw new IllegalArgumentException(token + " instead of " + expected);
        }
        return token;
    }

    private List<Query> rest() {
        List<Query> queries = new ArrayList<>();
        while (!tokens[next].equals(")")) {
            queries.add(query());
        }
        return queries;
    }

    private Query query() {
        take("(");
        String kind = take(null);
        Query query = switch (kind) {
            case "term" -> new TermQuery(new Term(FIELD, take(null)));
            case "phrase" -> phrase();
            case "prefix" -> prefix(take(null));
            case "all" -> all();
            case "any" -> any(rest());
            case "near" -> near(Integer.parseInt(take(null)), rest());
            default -> throw new IllegalArgumentException(kind);
        };
        take(")");
        return query;
    }

    private Query phrase() {
        List<String> words = new ArrayList<>();
        while (!tokens[next].equals(")")) {
            words.add(take(null));
        }
        return new PhraseQuery(FIELD, words.toArray(String[]::new));
    }

    private Query prefix(String start) {
        return prefixesAsRegexps
                ? new RegexpQuery(new Term(FIELD, start + ".*"))
                : new PrefixQuery(new Term(FIELD, start));
    }

    /** What stands in {@code (not ...)} is a clause of the conjunction around it. */
    private Query all() {
        BooleanQuery.Builder all = new BooleanQuery.Builder();
        while (!tokens[next].equals(")")) {
            boolean not = tokens[next + 1].equals("not");
            if (not) {
                next += 2;
            }
            all.add(query(), not ? Occur.MUST_NOT : Occur.MUST);
            if (not) {
                take(")");
            }
        }
        return all.build();
    }

    private static Query any(List<Query> parts) {
        BooleanQuery.Builder any = new BooleanQuery.Builder();
        for (Query part : parts) {
            any.add(part, Occur.SHOULD);
        }
        return any.build();
    }

    /** The distance counts steps, the slop the words between. */
    private static Query near(int distance, List<Query> sides) {
        SpanQuery[] spans = {spans(sides.get(0)), spans(sides.get(1))};
        return new SpanNearQuery(spans, distance - 1, false);
    }

    private static SpanQuery spans(Query query) {
        return switch (query) {
            case TermQuery term -> new SpanTermQuery(term.getTerm());
            case PrefixQuery prefix -> new SpanMultiTermQueryWrapper<>(prefix);
            case BooleanQuery any ->
                    new SpanOrQuery(any.clauses().stream().map(c -> spans(c.query())).toArray(SpanQuery[]::new));
            default -> throw new IllegalArgumentException(query.toString());
        };
    }
}
