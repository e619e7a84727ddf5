package peers;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.monitor.MatchingQueries;
import org.apache.lucene.monitor.Monitor;
import org.apache.lucene.monitor.MonitorConfiguration;
import org.apache.lucene.monitor.MonitorQuery;
import org.apache.lucene.monitor.MultiMatchingQueries;
import org.apache.lucene.monitor.MultipassTermFilteredPresearcher;
import org.apache.lucene.monitor.Presearcher;
import org.apache.lucene.monitor.QueryMatch;
import org.apache.lucene.monitor.RegexpQueryHandler;
import org.apache.lucene.monitor.TermFilteredPresearcher;
import org.apache.lucene.monitor.TermWeightor;

/**
 * Runs every set of queries in a folder over every set of posts there.
 *
 * <p>Prints a line for each: queries, posts, presearcher, microseconds a post of each run by the processor's
 * time, and how many posts were checked. What matched of these is written beside the posts.
 */
public final class MonitorBench {
    /** Nanoseconds. Long enough for the compiler of the virtual machine to be done. */
    private static final long WARM_UP = 1_500_000_000L;
    private static final long MEASURED = 700_000_000L;
    /** How long at most it is written down what matches: some presearchers take minutes for all posts. */
    private static final long CHECKED = 8_000_000_000L;
    private static final int BATCH = 100;

    private MonitorBench() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        int runs = Integer.parseInt(arguments[1]);
        for (Path queries : list(folder, "queries-")) {
            String queryName = name(queries).replaceFirst("^queries", "").replaceFirst("\\.txt$", "");
            for (Map.Entry<String, Presearcher> presearcher : presearchers().entrySet()) {
                boolean regexps = presearcher.getKey().endsWith("regexps");
                if (regexps && !queries.toString().contains("wildcards")) {
                    continue;
                }
                try (Monitor monitor = monitor(queries, presearcher.getValue(), regexps)) {
                    for (Path posts : list(folder, "posts" + queryName + "-")) {
                        measure(monitor, queries, posts, presearcher.getKey(), 1, runs);
                        measure(monitor, queries, posts, presearcher.getKey() + ", 100 posts at once", BATCH, runs);
                    }
                }
            }
        }
    }

    private static Map<String, Presearcher> presearchers() {
        Map<String, Presearcher> presearchers = new LinkedHashMap<>();
        presearchers.put("none", Presearcher.NO_FILTERING);
        presearchers.put("terms", new TermFilteredPresearcher());
        presearchers.put("terms, 2 passes", new MultipassTermFilteredPresearcher(2));
        presearchers.put(
                "terms, regexps",
                new TermFilteredPresearcher(
                        TermWeightor.DEFAULT, List.of(new RegexpQueryHandler()), Set.of()));
        return presearchers;
    }

    private static Monitor monitor(Path file, Presearcher presearcher, boolean regexps) throws IOException {
        Monitor monitor = new Monitor(new StandardAnalyzer(), presearcher, new MonitorConfiguration());
        List<MonitorQuery> queries = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            String[] parts = line.split("\t", 2);
            queries.add(new MonitorQuery(parts[0], Queries.read(parts[1], regexps)));
        }
        monitor.register(queries);
        return monitor;
    }

    private static void measure(
            Monitor monitor, Path queries, Path postsFile, String presearcher, int batch, int runs)
            throws IOException {
        List<String> posts = Files.readAllLines(postsFile);
        String name = name(postsFile).replace(".txt", "-lucene-" + presearcher.replaceAll("\\W+", "-") + ".matches");
        int seen;
        try (PrintWriter matches = new PrintWriter(Files.newBufferedWriter(postsFile.resolveSibling(name)))) {
            seen = match(monitor, posts, batch, 0, posts.size(), CHECKED, matches);
        }
        Turn turn = new Turn(monitor, posts, batch);
        turn.microseconds(WARM_UP);
        double[] microseconds = new double[runs];
        for (int run = 0; run < runs; run++) {
            microseconds[run] = turn.microseconds(MEASURED);
        }
        System.out.printf(
                "%s\t%s\t%s\t%s\t%d%n",
                name(queries), name(postsFile), presearcher, Arrays.toString(microseconds), seen);
    }

    /** Goes round and round through the posts. */
    private static final class Turn {
        private final Monitor monitor;
        private final List<String> posts;
        private final int batch;
        private int at;

        Turn(Monitor monitor, List<String> posts, int batch) {
            this.monitor = monitor;
            this.posts = posts;
            this.batch = batch;
        }

        /** The processor's time for a post, over at least as many nanoseconds. */
        double microseconds(long least) throws IOException {
            ThreadMXBean threads = ManagementFactory.getThreadMXBean();
            long begin = threads.getCurrentThreadCpuTime();
            long spent;
            int seen = 0;
            do {
                int end = Math.min(at + batch, posts.size());
                match(monitor, posts, batch, at, end, Long.MAX_VALUE, null);
                seen += end - at;
                at = end % posts.size();
                spent = threads.getCurrentThreadCpuTime() - begin;
            } while (spent < least);
            return spent / 1e3 / seen;
        }
    }

    /** Matches posts until their end or the time's, and says where it stopped. */
    private static int match(
            Monitor monitor, List<String> posts, int batch, int from, int to, long most, PrintWriter matches)
            throws IOException {
        long begin = System.nanoTime();
        int at = from;
        while (at < to && System.nanoTime() - begin < most) {
            int end = Math.min(at + batch, to);
            if (batch == 1) {
                write(monitor.match(document(posts.get(at)), QueryMatch.SIMPLE_MATCHER), at, matches);
            } else {
                Document[] documents =
                        posts.subList(at, end).stream().map(MonitorBench::document).toArray(Document[]::new);
                MultiMatchingQueries<QueryMatch> results = monitor.match(documents, QueryMatch.SIMPLE_MATCHER);
                for (int post = at; post < end; post++) {
                    for (QueryMatch match : results.getMatches(post - at)) {
                        write(match, post, matches);
                    }
                }
            }
            at = end;
        }
        return at;
    }

    private static void write(MatchingQueries<QueryMatch> result, int post, PrintWriter matches) {
        for (QueryMatch match : result.getMatches()) {
            write(match, post, matches);
        }
    }

    private static void write(QueryMatch match, int post, PrintWriter matches) {
        if (matches != null) {
            matches.println(post + "\t" + match.getQueryId());
        }
    }

    private static Document document(String text) {
        Document document = new Document();
        document.add(new TextField("text", text, Field.Store.NO));
        return document;
    }

    private static List<Path> list(Path folder, String prefix) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(file -> name(file).startsWith(prefix) && name(file).endsWith(".txt")).sorted().toList();
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }
}
